"""An adapter that acts after the prefix, from questions to llama.cpp, on the small real model."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import typer
from training_sets import role_rows
from typer.testing import CliRunner

from critiql.cli.main import app
from critiql.tools.models.factory import make_model
from critiql.tools.models.local.after_prefix import acts_after_prefix
from critiql.tools.models.model import Prompt, Sampling
from critiql.training.data.example_file import card_path, read_rows, write_rows

SMALL = "smollm2-135m-instruct"


def run(*arguments: str | Path) -> Any:
    return CliRunner().invoke(app, ["train", *map(str, arguments)])


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The same few questions on three small schemas, of which one validates."""
    write_rows(role_rows("actor"), tmp_path / "actor.jsonl")
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


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--role", "actor"), "--data for a set, or --pairs"),
        (("--role", "actor", "--data", "DATA", "--pairs", "DATA"), "--data for a set, or --pairs"),
        (("--role", "selector", "--pairs", "DATA"), "teach the actor and not the selector"),
    ],
)
def test_what_is_learnt_from_is_one_thing(
    tmp_path: Path, data: Path, arguments: tuple[str, ...], why: str
) -> None:
    named = [str(data) if one == "DATA" else one for one in arguments]
    done = run("adapter", *named, "--out", tmp_path / "a.gguf")
    assert done.exit_code == 2
    assert why in " ".join(done.output.split())


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """Twelve pairs about a shelf of books, of which one does not run, and the shelf beside them."""
    with closing(sqlite3.connect(tmp_path / "shelf.sqlite")) as connection:
        connection.executescript(
            "CREATE TABLE book (title TEXT, pages INT);"
            "INSERT INTO book VALUES ('Ice', 210), ('Salt', 330), ('Sun', 90), ('Fog', 410);"
        )
    rows = [
        f"Which books have over {over} pages?,SELECT title FROM book WHERE pages > {over}"
        for over in range(11)
    ]
    lines = ["question,sql", *rows, "Which colours are there?,SELECT colour FROM book"]
    (tmp_path / "mine.csv").write_text("\n".join(lines) + "\n")
    return tmp_path / "mine.csv"


@pytest.mark.slow  # importing torch and peft takes seconds
@pytest.mark.parametrize(("answer", "code", "fitted"), [("n\n", 0, False), ("y\n", 7, True)])
def test_the_hours_are_said_and_nothing_begins_without_a_yes(
    pairs: Path, monkeypatch: pytest.MonkeyPatch, answer: str, code: int, fitted: bool
) -> None:
    pytest.importorskip("torch", reason="the extra lora is not installed")
    pytest.importorskip("peft", reason="the extra lora is not installed")
    from critiql.cli import train_adapter
    from critiql.training.adapters.suffix_fit import Expected

    began = []

    def train(fit: Any, expect: Any) -> None:
        expect(Expected(steps=1200, step=9.0, prefixes=3.0))
        began.append(fit)
        raise typer.Exit(7)

    monkeypatch.setattr(train_adapter, "_trained", train)
    own = ("--role", "actor", "--pairs", pairs, "--db", pairs.with_name("shelf.sqlite"))
    arguments = ["train", "adapter", *map(str, own), "--out", str(pairs.with_name("a.gguf"))]
    done = CliRunner().invoke(app, arguments, input=answer)
    told = " ".join(done.output.split())
    assert done.exit_code == code
    assert "line 13, does not run and is left out: no such column: colour" in told
    assert "9 pairs are learnt and 2 held out, a fifth" in told
    assert "Training takes about 3.0 hours: 1200 steps of 9.0 s" in told
    assert bool(began) is fitted


@pytest.mark.slow
@pytest.mark.model
def test_a_user_s_pairs_become_an_adapter_and_a_table(pairs: Path) -> None:
    pytest.importorskip("peft", reason="needs the extra lora: make lora")
    out, db = pairs.with_name("mine.gguf"), pairs.with_name("shelf.sqlite")
    plan = ("--model", SMALL, "--rank", "4", "--rate", "3e-3", "--precision", "float32", "--threads", "1")
    done = run("adapter", "--role", "actor", "--pairs", pairs, "--db", db, "--out", out, "--yes", *plan)
    assert done.exit_code == 0, done.output
    card = json.loads(card_path(out).read_text())
    held = card["held_out"]
    assert card["plan"]["epochs"] == 4
    assert held["n"] == 2
    assert held["right_after"] - held["right_before"] == held["fixed"] - held["broken"]
    assert json.loads(done.stdout)["held_out"] == held
    table = done.stderr
    assert not [line for line in table.splitlines() if "Warning" in line or "it/s" in line]
    assert "2 held-out pairs say little" in table
    assert f"{held['fixed']} fixed, {held['broken']} broken" in table


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
