"""Examples for the critic: its own prompt with the rows, and the word that is true of the query."""

import pytest

from critiql.evals.data.item import Dataset
from critiql.training.data import parts
from critiql.training.data.critic_data import critic_rows
from critiql.training.data.example_file import Row
from critiql.training.data.sets import build

pytestmark = pytest.mark.whole

RIGHT, WRONG, FAILING = "SELECT title FROM book", "SELECT COUNT(*) FROM book", "SELECT nothing FROM book"


@pytest.fixture
def rows(own: Dataset, monkeypatch: pytest.MonkeyPatch) -> list[Row]:
    """Two queries that run and one that fails, for every question; two databases train, one validates."""
    monkeypatch.setattr(parts, "part_of", lambda name: "fit" if name in ("north", "south") else "validate")
    monkeypatch.setattr(parts, "VALIDATING", 1)
    outputs = {item.index: {RIGHT: True, WRONG: False, FAILING: False} for item in own.items}
    return critic_rows(own.items, outputs, None, 0, lambda _: lambda: None)


def test_a_query_that_fails_teaches_nothing_and_both_words_come_equally_often(rows: list[Row]) -> None:
    assert not any(FAILING in row["request"] for row in rows)
    words = [row["answer"] for row in rows]
    assert words.count("True") == words.count("False") > 0


def test_the_critic_is_shown_the_query_and_its_rows(rows: list[Row]) -> None:
    for row in rows:
        sql = RIGHT if row["answer"] == "True" else WRONG
        assert sql in row["request"]
        assert row["prefix"].startswith("You are an expert in SQLite.")
    counted = next(row for row in rows if row["answer"] == "False")
    assert "COUNT(*)" in counted["request"].partition(WRONG)[2]


def test_databases_that_measure_do_not_train(rows: list[Row]) -> None:
    parts = ("train", "validation")
    by_part = {part: {row["db_id"] for row in rows if row["part"] == part} for part in parts}
    assert by_part["train"] == {"north", "south"}
    assert len(by_part["validation"]) == 1


def test_without_an_evaluation_there_is_nothing_to_learn_from(own: Dataset) -> None:
    with pytest.raises(ValueError, match="Name the store of an evaluation"):
        build("llm_critic", own, limit=None, seed=0, predictions=None, follow=lambda _: lambda: None)
