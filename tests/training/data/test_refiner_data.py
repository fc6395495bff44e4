"""Examples for the refiner: what it is told in use about the actor's wrong query, and the right one."""

import pytest

from critiql.agent.calls import SQL_OPENING
from critiql.evals.data.item import Dataset
from critiql.training.data import parts
from critiql.training.data.example_file import Row
from critiql.training.data.refiner_data import refiner_rows

pytestmark = pytest.mark.whole

FAILING = "SELECT colour FROM book"


@pytest.fixture
def rows(own: Dataset, monkeypatch: pytest.MonkeyPatch) -> list[Row]:
    """For every question its gold, gold with a condition too many, and one that fails."""
    monkeypatch.setattr(parts, "part_of", lambda name: "fit" if name != "garden" else "validate")
    outputs = {item.index: {item.gold: True, _spoilt(item.gold): False, FAILING: False} for item in own.items}
    return refiner_rows(own.items, outputs, None, 0, lambda _: lambda: None)


def _spoilt(gold: str) -> str:
    return gold.replace(" FROM book", " FROM book WHERE pages > 300") if "WHERE" not in gold else gold


def test_it_is_told_what_failed_and_which_errors_were_found(rows: list[Row]) -> None:
    kinds = {row["kind"] for row in rows}
    assert kinds == {"failed", "explained"}
    assert any(FAILING in row["request"] for row in rows)
    for row in rows:
        shown = row["request"]
        if row["kind"] == "failed":
            assert ("no such column" in shown) if FAILING in shown else ("syntax error" in shown)
        else:
            assert "Error 1, " in shown


def test_it_answers_with_the_right_query(rows: list[Row], own: Dataset) -> None:
    for row in rows:
        item = next(item for item in own.items if item.index == row["index"])
        assert row["opening"] == SQL_OPENING
        assert row["answer"].startswith(SQL_OPENING + "SELECT")
        assert row["request"].startswith(f"Question: {item.question}\nThis SQL query is wrong:\n")
        assert row["prefix"].startswith("You are an expert in SQLite.")


def test_databases_that_measure_do_not_train(rows: list[Row]) -> None:
    assert "garden" not in {row["db_id"] for row in rows if row["part"] == "train"}
    assert {row["db_id"] for row in rows if row["part"] == "validation"} == {"garden"}
