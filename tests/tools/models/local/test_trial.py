"""A model file that is not known is loaded elsewhere first: what ends that process is a sentence here."""

import json
import struct
import subprocess
from pathlib import Path
from typing import Any

import pytest

from critiql.tools.models.files.registry import registry
from critiql.tools.models.local import trial
from critiql.tools.models.local.runtime import LlamaRuntime
from critiql.tools.models.local.trial import try_out
from critiql.tools.models.model import ModelError

FIXTURES = Path(__file__).parents[3] / "fixtures" / "models"
CASES = [json.loads(line) for line in (FIXTURES / "damaged_gguf.jsonl").read_text("utf-8").splitlines()]
ABORTED = subprocess.CompletedProcess([], -6, "", "/src/llama-model.cpp:1: GGML_ASSERT(n > 0) failed\n")


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(trial, "tried", set())
    (tmp_path / "some.gguf").write_bytes(b"GGUF")
    return tmp_path / "some.gguf"


def test_a_process_that_breaks_down_is_a_sentence(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial.subprocess, "run", lambda *given, **named: ABORTED)
    with pytest.raises(ModelError, match=r"llama-model\.cpp:1: GGML_ASSERT\(n > 0\) failed"):
        try_out(file)


def test_one_that_does_not_end_is_a_sentence(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(*given: Any, **named: Any) -> None:
        raise subprocess.TimeoutExpired("", 1)

    monkeypatch.setattr(trial.subprocess, "run", hang)
    with pytest.raises(ModelError, match="did not load within"):
        try_out(file)


def test_a_known_file_is_not_tried_and_another_once(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[Any] = []

    def run(*given: Any, **named: Any) -> Any:
        runs.append(given)
        return subprocess.CompletedProcess([], 0, "", "")

    monkeypatch.setattr(trial.subprocess, "run", run)
    for _ in range(2):
        try_out(file)
    assert len(runs) == 1
    monkeypatch.setattr(trial, "tried", set())
    monkeypatch.setattr(trial, "file_sha256", lambda path: registry().models[0].sha256)
    try_out(file)
    assert len(runs) == 1


@pytest.mark.model
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['key']}={case['value']}")
def test_a_damaged_description(case: dict[str, Any], small_model_path: Path, tmp_path: Path) -> None:
    with small_model_path.open("rb") as model:
        header = bytearray(model.read(4 * 2**20))
    value = header.index(case["key"].encode()) + len(case["key"]) + 4
    header[value : value + 4] = struct.pack("<I", case["value"])
    file = tmp_path / "damaged.gguf"
    file.write_bytes(header)
    with file.open("r+b") as holey:
        holey.truncate(small_model_path.stat().st_size)
    with pytest.raises(ModelError, match=case["says"]):
        LlamaRuntime(file)
