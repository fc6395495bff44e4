"""The heads that come with the package fit this version's prompt, a registered model, and their cards."""

import json
from hashlib import sha256
from pathlib import Path

import pytest

from critiql.agent.detect.heads import SHIPPED, head_for, is_shipped
from critiql.agent.detect.prompt import detector_digest
from critiql.tools.errors.head import NULL, ROWS, belongs_to
from critiql.tools.errors.types.catalogue import ERROR_TYPES
from critiql.tools.models.files.registry import registry

HEADS = sorted(SHIPPED.glob("*.safetensors"))


def test_the_default_model_has_one() -> None:
    record = registry().find("qwen2.5-coder-1.5b-instruct")
    assert record is not None
    assert is_shipped(record.sha256[:12])


@pytest.mark.parametrize("file", HEADS, ids=lambda file: file.stem)
def test_a_shipped_head(file: Path) -> None:
    model, prompt = belongs_to(file)
    record = registry().find(file.stem)
    assert record is not None
    assert (model, prompt) == (record.sha256[:12], detector_digest())
    head = head_for(model, file.stem)
    assert head.weights.shape[0] == ROWS
    assert 0 < head.thresholds[NULL] < 1
    card = json.loads(file.with_name(f"{file.name}.card.json").read_text("utf-8"))
    assert card["sha256"] == sha256(file.read_bytes()).hexdigest()
    assert set(card["thresholds"]) == {error.key for error in ERROR_TYPES}
    assert card["validation"]["null_token_auc"]["low"] > 0.5
