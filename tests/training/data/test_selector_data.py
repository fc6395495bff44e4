"""Examples for the selector: pairs with exactly one right query, in both orders, by what they return."""

import pytest

from critiql.evals.data.item import Dataset
from critiql.training.data import parts
from critiql.training.data.example_file import Row
from critiql.training.data.selector_data import PAIRS, selector_rows
from critiql.training.data.sets import build

pytestmark = pytest.mark.whole

RIGHT, SAME, FAILING = "SELECT title FROM book", "SELECT title FROM book ORDER BY id", "SELECT no FROM book"
WRONG = [f"SELECT {what} FROM book" for what in ("COUNT(*)", "year", "pages", "genre")]


def made(own: Dataset, limit: int | None = None) -> list[Row]:
    written = {RIGHT: True, SAME: False, FAILING: False, **dict.fromkeys(WRONG, False)}
    outputs = {item.index: written for item in own.items}
    return selector_rows(own.items, outputs, limit, 0, lambda _: lambda: None)


@pytest.fixture(autouse=True)
def halves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two of the four databases train, one validates."""
    monkeypatch.setattr(parts, "part_of", lambda name: "fit" if name in ("north", "south") else "validate")
    monkeypatch.setattr(parts, "VALIDATING", 1)


def test_each_pair_comes_in_both_orders_with_the_letter_of_the_right_one(own: Dataset) -> None:
    rows = made(own)
    for first, second in zip(rows[::2], rows[1::2], strict=True):
        assert (first["answer"], second["answer"]) == ("A", "B")
        assert f"A: {RIGHT}\n" in first["request"]
        assert f"B: {RIGHT}\n" in second["request"]
        assert first["index"] == second["index"]


def test_the_same_rows_and_failures_are_no_alternatives(own: Dataset) -> None:
    rows = made(own)
    assert rows
    assert not any(SAME in row["request"] or FAILING in row["request"] for row in rows)


def test_a_question_gives_few_pairs_and_a_limit_keeps_pairs_whole(own: Dataset) -> None:
    rows = made(own)
    assert all(
        sum(row["index"] == index for row in rows) == 2 * PAIRS for index in {r["index"] for r in rows}
    )
    assert made(own, 5) == rows[:4]


def test_databases_that_measure_do_not_train(own: Dataset) -> None:
    train = {row["db_id"] for row in made(own) if row["part"] == "train"}
    held = {row["db_id"] for row in made(own) if row["part"] == "validation"}
    assert train == {"north", "south"}
    assert len(held) == 1
    assert held.isdisjoint(train)


def test_without_an_evaluation_there_is_nothing_to_learn_from(own: Dataset) -> None:
    with pytest.raises(ValueError, match="The selector learns from what an actor wrote"):
        build("selector", own, limit=None, seed=0, predictions=None, follow=lambda _: lambda: None)
