import json
from pathlib import Path
from typing import Any

import pytest

from critiql.tools.models.files.hub_name import base_name, choose_file, parse_hub_name, quant_of
from critiql.tools.models.files.registry import registry
from critiql.tools.models.local.adapter import split_adapter
from critiql.tools.models.model import ModelError

LINES = Path(__file__).parents[3] / "fixtures" / "models" / "hub_names.jsonl"
CASES = [json.loads(line) for line in LINES.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_name_means_one_file_or_says_why_not(case: dict[str, Any]) -> None:
    if "file" in case:
        assert choose_file(parse_hub_name(case["asked"]), case["files"]) == case["file"]
        return
    with pytest.raises(ModelError, match=case["says"]):
        choose_file(parse_hub_name(case["asked"]), case["files"])


@pytest.mark.parametrize(
    ("file", "quant"),
    [
        ("qwen2.5-coder-3b-instruct-fp16.gguf", "FP16"),
        ("M.BF16.gguf", "BF16"),
        ("M-Q4_0_4_4.gguf", "Q4_0_4_4"),
        ("M-q5_k_m-00001-of-00003.gguf", "Q5_K_M"),
        ("Qwen2.5-7B.gguf", ""),
    ],
)
def test_a_quantization_is_read_off_a_file(file: str, quant: str) -> None:
    assert quant_of(file) == quant


@pytest.mark.parametrize("file", ["a/.hidden.gguf", "a/x y.gguf", "a/\n.gguf", ""])
def test_a_file_that_could_not_lie_here_is_refused(file: str) -> None:
    with pytest.raises(ModelError, match="not taken"):
        base_name(file)


def test_a_model_of_the_hub_may_have_an_adapter() -> None:
    name = "hf:Some/M-GGUF:Q4_K_M"
    assert split_adapter(f"{name}+mine.gguf") == (name, Path("mine.gguf"))
    assert split_adapter("hf:Some/M-GGUF:a+b.gguf")[0] == "hf:Some/M-GGUF:a"


def test_the_larger_models_have_a_name_of_the_hub() -> None:
    for model in registry().on_hub:
        assert parse_hub_name(registry().full_name(model.name)).wanted == "Q4_K_M"
