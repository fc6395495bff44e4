"""`critiql train` from a user's own file to a card, and with a real small model to a head."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from critiql.cli.train import app
from critiql.tools.errors.head import load
from critiql.tools.models.files.store import resolve
from critiql.tools.models.model import ModelError
from critiql.training.data import parts

ERRORS = Path(__file__).parents[1] / "fixtures/errors"
QUERIES = (
    "SELECT title FROM book",
    "SELECT MAX(pages) FROM book",
    "SELECT name FROM author WHERE born > 1950",
)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    for name in ("north", "harbour", "garden"):
        with closing(sqlite3.connect(tmp_path / f"{name}.sqlite")) as connection:
            connection.executescript((ERRORS / "library.sql").read_text(encoding="utf-8"))
    names = ("north", "harbour", "garden")
    rows = [
        {"database": f"{name}.sqlite", "question": "Which?", "sql": sql}
        for name, sql in zip(names, QUERIES, strict=True)
    ]
    path = tmp_path / "own.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.mark.parametrize("task", ["sam", "lom", "detector"])
def test_a_set_and_its_card_are_written(task: str, own: Path) -> None:
    out = own.with_name("set.jsonl")
    done = CliRunner().invoke(app, ["data", "--task", task, "--out", str(out), "--dataset", str(own)])
    assert done.exit_code == 0, done.output
    card = json.loads((own.parent / "set.jsonl.card.json").read_text())
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert card["examples"] == len(rows) > 0
    assert sum(card["by_part"][part]["examples"] for part in card["by_part"]) == len(rows)
    assert json.loads(done.stdout)["file"] == str(out)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--dataset", "nobody"], "no data set 'nobody'"),
        (["--dataset", "spider-train", "--predictions", "absent.sqlite"], "There is no file"),
    ],
)
def test_wrong_usage_is_a_sentence(options: list[str], message: str, tmp_path: Path) -> None:
    out = tmp_path / "set.jsonl"
    done = CliRunner().invoke(app, ["data", "--task", "lom", "--out", str(out), *options])
    assert done.exit_code == 2
    assert message in done.stderr
    assert not out.exists()


@pytest.mark.model
def test_a_head_is_trained_on_a_real_model(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "part_of", lambda name: "fit" if name == "north" else "validate")
    try:
        resolve("smollm2-135m-instruct")
    except ModelError as error:
        pytest.skip(str(error))
    data, head = own.with_name("set.jsonl"), own.with_name("head.safetensors")
    runner = CliRunner()
    made = runner.invoke(app, ["data", "--task", "detector", "--out", str(data), "--dataset", str(own)])
    assert made.exit_code == 0
    arguments = ["detector", "--data", str(data), "--out", str(head), "--model", "smollm2-135m-instruct"]
    first = runner.invoke(app, arguments)
    assert first.exit_code == 0, first.output
    card = json.loads((own.parent / "head.safetensors.card.json").read_text())
    found = load(head, model=card["model"]["fingerprint"], prompt=card["prompt"])
    assert found.weights.shape[1] == 576
    assert card["fit"]["start"] == "words"
    assert set(card["starts"]) == {"words", "zeros"}
    assert runner.invoke(app, arguments).exit_code == 0
