"""Examples for the actor: its own prompt, verified queries, and no database that choices are measured on."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from critiql.agent.calls import SQL_OPENING
from critiql.evals.data.item import Dataset, Item
from critiql.tools.database.open import open_database
from critiql.training.data import parts
from critiql.training.data.actor_data import actor_rows, answer_sql
from critiql.training.data.example_file import Row

pytestmark = pytest.mark.whole

ANSWERS = [
    ("select name  from member;", "SELECT name FROM member"),
    ('SELECT name FROM member WHERE name = "Ann"', "SELECT name FROM member WHERE name = 'Ann'"),
    ('SELECT "name" FROM member', 'SELECT "name" FROM member'),
    ("SELECT nothing FROM member", None),
    ("DROP TABLE member", None),
]


def made(items: Sequence[Item], others: Sequence[Item] = (), limit: int | None = None) -> list[Row]:
    return actor_rows(items, others, limit, 0, lambda _: lambda: None)


@pytest.fixture
def halves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let two of the four databases train and two measure, of which one validates."""
    monkeypatch.setattr(parts, "part_of", lambda name: "fit" if name in ("north", "south") else "validate")
    monkeypatch.setattr(parts, "VALIDATING", 1)


@pytest.mark.parametrize(("gold", "learnt"), ANSWERS)
def test_a_query_is_learnt_as_it_is_printed_and_only_if_it_runs(
    own_file: Path, gold: str, learnt: str | None
) -> None:
    with closing(open_database(own_file.parent / "north.sqlite")) as database:
        assert answer_sql(gold, database) == learnt


@pytest.mark.usefixtures("halves")
def test_databases_that_measure_do_not_train(own: Dataset) -> None:
    rows = made(own.items)
    by_part = {
        part: {row["db_id"] for row in rows if row["part"] == part} for part in ("train", "validation")
    }
    assert by_part["train"] == {"north", "south"}
    assert len(by_part["validation"]) == 1
    assert by_part["validation"] < {"harbour", "garden"}


@pytest.mark.usefixtures("halves")
def test_an_example_is_the_actor_s_prompt_and_its_answer(own: Dataset) -> None:
    row = made(own.items)[0]
    item = next(item for item in own.items if item.index == row["index"])
    assert row["prefix"].startswith("You are an expert in SQLite.")
    assert row["request"].startswith(f"Question: {item.question}\n")
    assert row["opening"] == SQL_OPENING
    assert row["answer"].startswith(SQL_OPENING + "SELECT")


@pytest.mark.usefixtures("halves")
def test_no_query_comes_again_before_every_other_was_taken(own: Dataset) -> None:
    others = [
        replace(item, question=f"{item.question} In other words.", extra={"original_question": item.question})
        for item in own.items
    ]
    training = len([row for row in made(own.items) if row["part"] == "train"])
    few = [row for row in made(own.items, others, training) if row["part"] == "train"]
    assert len({(row["db_id"], row["answer"]) for row in few}) == training
    assert {row["kind"] for row in few} == {"gold", "paraphrase"}
    both = [row for row in made(own.items, others) if row["part"] == "train"]
    assert len(both) == 2 * training
    assert both[:training] == few


@pytest.mark.usefixtures("halves")
def test_the_same_words_are_not_learnt_twice(own: Dataset) -> None:
    same = [replace(item, extra={"original_question": item.question.upper()}) for item in own.items]
    assert made(own.items, same) == made(own.items)
