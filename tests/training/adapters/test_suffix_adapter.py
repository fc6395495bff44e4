"""An adapter that acts after the prefix, from questions to llama.cpp, on the small real model."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from critiql.cli.main import app
from critiql.tools.models.factory import make_model
from critiql.tools.models.local.adapter import acts_after_prefix
from critiql.tools.models.model import Prompt, Sampling
from critiql.training.data.example_file import card_path, read_rows, write_rows

SMALL = "smollm2-135m-instruct"
PARTS = {"north": "train", "south": "train", "harbour": "validation"}


def run(*arguments: str | Path) -> Any:
    return CliRunner().invoke(app, ["train", *map(str, arguments)])


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The same few questions on three small schemas, of which one validates."""
    rows = [
        {
            "task": "actor",
            "kind": "gold",
            "part": part,
            "db_id": name,
            "index": number,
            "prefix": f"This is the database:\n\nCREATE TABLE {name} (id INT, title TEXT, year INT);",
            "request": f"Question: Which {column} are there?\nAnswer with the SQL only.",
            "opening": "```sql\n",
            "answer": f"```sql\nSELECT DISTINCT {column} FROM {name}",
        }
        for name, part in PARTS.items()
        for number, column in enumerate(("title", "year", "id"))
    ]
    write_rows(rows, tmp_path / "actor.jsonl")
    return tmp_path / "actor.jsonl"


@pytest.mark.parametrize(
    ("out", "data_there", "why"),
    [("adapter.bin", True, "does not end with .gguf"), ("adapter.gguf", False, "There is no file")],
)
def test_what_cannot_be_done_is_said_before_anything_is_done(
    tmp_path: Path, data: Path, out: str, data_there: bool, why: str
) -> None:
    if not data_there:
        data.unlink()
    done = run("adapter", "--role", "actor", "--data", data, "--out", tmp_path / out)
    assert done.exit_code == 2
    assert why in " ".join(done.output.split())


@pytest.mark.slow  # importing torch and peft takes seconds
def test_a_set_for_another_role_is_refused(tmp_path: Path, data: Path) -> None:
    pytest.importorskip("torch", reason="the extra lora is not installed")
    pytest.importorskip("peft", reason="the extra lora is not installed")
    data.write_text(json.dumps({"task": "lom", "part": "train"}) + "\n")
    done = run("adapter", "--role", "actor", "--data", data, "--out", tmp_path / "a.gguf")
    assert done.exit_code == 2
    assert "no examples for the actor" in " ".join(done.output.split())


@pytest.mark.slow
@pytest.mark.model
@pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing. is deprecated:FutureWarning")
@pytest.mark.filterwarnings("ignore:Could not find a config file:UserWarning")
def test_what_is_fitted_after_the_prefix_is_what_llama_cpp_computes(data: Path, tmp_path: Path) -> None:
    pytest.importorskip("peft", reason="needs the extra lora: make lora")
    out = tmp_path / "adapter.gguf"
    plan = ("--model", SMALL, "--rank", "4", "--batch", "3", "--rate", "3e-3", "--precision", "float32")
    command = ("adapter", "--role", "actor", "--data", data, "--out", out, *plan, "--threads", "1")
    done = run(*command, "--epochs", "8")
    assert done.exit_code == 0, done.output
    card = json.loads(card_path(out).read_text())
    assert card["acts"] == "after the prefix"
    assert (card["plan"]["rank"], card["hardware"]["threads"]) == (4, 1)
    assert card["validation_loss"]["after"] < card["validation_loss"]["before"] / 2
    assert card["agreement"]["effect_correlation"] > 0.99
    assert acts_after_prefix(out)

    plain, actor = make_model(SMALL), make_model(f"{SMALL}+{out}")
    assert plain.runtime is actor.runtime  # type: ignore[attr-defined]
    row = read_rows(data)[0]
    prompt = Prompt(row["prefix"], row["request"], row["opening"])
    assert actor.generate(prompt, Sampling(max_tokens=24)).text == row["answer"].removeprefix(row["opening"])
    assert plain.generate(prompt, Sampling(max_tokens=24)).text != row["answer"].removeprefix(row["opening"])

    again = run(*command, "--epochs", "8")
    assert json.loads(again.stdout)["losses"] == card["losses"]
    other = run(*command, "--epochs", "9")
    assert other.exit_code == 2
    assert "state of a fit with other data or settings" in " ".join(other.output.split())
