"""Repairs from a run's own wrong queries, and the command that writes them."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from critiql.cli.evals.app import app
from critiql.evals.data.item import Item
from critiql.evals.run.store import RunSpec, Store, StoredAnswer
from critiql.tools.errors.guide.corpus import read_corpus
from critiql.training.data.repair_corpus import repairs_of

RIGHT = "SELECT COUNT(*) FROM item"
WRONG = "select count(*) from item where price>50"


def answer(index: int, sql: str, *, correct: bool) -> StoredAnswer:
    known: dict[str, Any] = {"status": "unverified", "stopped": "unchecked", "suite_correct": None}
    known |= {"difficulty": None, "confidence": None, "model_calls": 1, "seconds": 1.0, "model_seconds": 1.0}
    first = {"id": 0, "sql": sql, "correct": correct}
    return StoredAnswer(index, "shop", sql, correct=correct, usage={}, candidates=[first], **known)


ANSWERS = [answer(0, WRONG, correct=False), answer(1, RIGHT, correct=True)]


def test_a_wrong_query_that_its_label_explains_is_a_repair(shop: Path) -> None:
    items = {n: Item("own", n, "shop", shop, "How many items are there?", RIGHT) for n in range(2)}
    (repair,) = repairs_of(ANSWERS, items)
    assert repair["type"] in ("condition_error", "condition_redundancy", "clause_error")
    assert (repair["wrong"], repair["right"], repair["database"]) == (
        "SELECT COUNT(*) FROM item WHERE price > 50",
        RIGHT,
        "shop",
    )


@pytest.mark.parametrize(("dataset", "code"), [("own", 0), ("spider-dev", 2)])
def test_a_corpus_is_written_from_training_questions_alone(
    shop: Path, tmp_path: Path, dataset: str, code: int
) -> None:
    own = tmp_path / "own.jsonl"
    row = {"database": str(shop), "question": "How many items are there?", "sql": RIGHT}
    own.write_text(f"{json.dumps(row)}\n" * 2, "utf-8")
    name = str(own) if dataset == "own" else dataset
    with Store(tmp_path / "s.sqlite") as store:
        run = store.begin(RunSpec("single_shot", name, "m", "m", {}, {}, "c"), "commit", "machine", "")
        for each in ANSWERS:
            store.add(run, each)
    out = tmp_path / "repairs.jsonl"
    done = CliRunner().invoke(app, ["repairs", str(tmp_path / "s.sqlite"), "--out", str(out)])
    assert done.exit_code == code, done.output
    assert out.is_file() == (code == 0)
    if out.is_file():
        assert sum(map(len, read_corpus(out).values())) == 1
    else:
        assert "training questions only" in " ".join(done.output.split())
