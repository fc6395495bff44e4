"""Examples of what an actor wrote itself: its right query where it has one, gold where it has none."""

import pytest

from critiql.evals.data.item import Dataset
from critiql.training.data import parts
from critiql.training.data.actor_data import actor_rows
from critiql.training.data.actor_draws import draw_rows, kind_of, right_of
from critiql.training.data.example_file import Row

pytestmark = pytest.mark.whole

FIRST, LATER, WRONG = "SELECT title FROM book", "SELECT genre FROM book", "SELECT year FROM book"


@pytest.fixture(autouse=True)
def halves(monkeypatch: pytest.MonkeyPatch) -> None:
    """One of the four databases validates."""
    monkeypatch.setattr(parts, "part_of", lambda name: "validate" if name == "garden" else "fit")


def made(own: Dataset, written: dict[str, bool], limit: int | None = None) -> list[Row]:
    return draw_rows(own.items, {item.index: written for item in own.items}, limit, 0, lambda _: lambda: None)


def gold(own: Dataset) -> list[Row]:
    return actor_rows(own.items, (), None, 0, lambda _: lambda: None)


@pytest.mark.parametrize(
    ("written", "kind", "learnt"),
    [
        ({FIRST: True, LATER: True}, "own", FIRST),
        ({WRONG: False, LATER: True}, "mended", LATER),
        ({WRONG: False}, "missed", None),
    ],
)
def test_the_first_right_query_is_learnt(
    written: dict[str, bool], kind: str, learnt: str | None, own: Dataset
) -> None:
    assert (kind_of(written), right_of(written)) == (kind, learnt)
    rows = made(own, written)
    assert {row["kind"] for row in rows} == {kind}
    answers = {row["answer"].removeprefix("```sql\n") for row in rows}
    assert answers == ({learnt} if learnt else {row["answer"].removeprefix("```sql\n") for row in gold(own)})


def test_a_limit_leaves_out_what_is_known_already(own: Dataset) -> None:
    outputs = {item.index: {FIRST: item.index % 2 == 0} for item in own.items}
    rows = draw_rows(own.items, outputs, 4, 0, lambda _: lambda: None)
    train = [row for row in rows if row["part"] == "train"]
    assert len(train) == 4
    assert {row["kind"] for row in train} == {"missed"}
    assert {row["db_id"] for row in rows if row["part"] == "validation"} == {"garden"}


def test_a_question_that_was_not_asked_is_no_example(own: Dataset) -> None:
    assert draw_rows(own.items, {}, None, 0, lambda _: lambda: None) == []
