"""Examples for SAM and LOM: the mistake shows in the rows, and the answer mends it."""

import json
from collections.abc import Iterator

import pytest

from critiql.agent.share import read_answers, read_script
from critiql.evals.data.item import Dataset, Item
from critiql.tools.trajectory.forms.round_trip import same_results
from critiql.tools.trajectory.language.actions import Problem
from critiql.tools.trajectory.language.decompile import to_sql
from critiql.tools.trajectory.repair.edits import apply_edits
from critiql.tools.trajectory.repair.mask import fill, mask
from critiql.training.data import parts
from critiql.training.data.example_file import Row
from critiql.training.data.gold import Gold, opened
from critiql.training.data.sets import build
from critiql.training.data.trajectory_data import actor_sam_row, trajectory_of

pytestmark = pytest.mark.whole


def examples(task: str, data: Dataset) -> list[Row]:
    return build(task, data, limit=None, seed=0, predictions=None, follow=lambda _: lambda: None)


@pytest.fixture(scope="module", autouse=True)
def divided() -> Iterator[None]:
    """One of the four databases validates."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parts, "part_of", lambda name: "validate" if name == "garden" else "fit")
        yield


@pytest.fixture(scope="module")
def made(own: Dataset, divided: None) -> dict[str, list[Row]]:
    """The examples by task."""
    return {task: examples(task, own) for task in ("lom", "sam")}


def with_gold(rows: list[Row], data: Dataset) -> Iterator[tuple[Row, Gold]]:
    for gold in opened(data.items):
        yield from ((row, gold) for row in rows if row["index"] == gold.item.index)


def same(gold: Gold, sql: str) -> object:
    return same_results(gold.database, gold.item.gold, sql, "ORDER BY" in gold.item.gold)


def repaired(row: Row, gold: Gold) -> str:
    wrong = trajectory_of(row["sql"], gold.database)
    assert wrong is not None
    if row["task"] == "sam":
        masked = mask(wrong, gold.database.schema())
        return to_sql(fill(masked, read_answers(row["answer"]), gold.database.schema()).trajectory)
    edits = read_script(row["answer"])
    assert not isinstance(edits, Problem)
    again = apply_edits(wrong, edits, gold.database.schema())
    assert not isinstance(again, Problem)
    return to_sql(again)


@pytest.mark.parametrize(
    ("task", "kinds"),
    [("lom", {"NONE", "ADD", "DELETE", "SUBSTITUTE"}), ("sam", {"NONE", "TABLE", "COLUMN"})],
)
def test_the_mistake_shows_and_the_answer_mends_it(
    task: str, kinds: set[str], own: Dataset, made: dict[str, list[Row]]
) -> None:
    rows = made[task]
    assert {row["kind"] for row in rows} == kinds
    for row, gold in with_gold(rows, own):
        assert (same(gold, row["sql"]) is True) == (row["kind"] == "NONE"), row
        assert same(gold, repaired(row, gold)) is True, row


def test_an_identity_example_asks_for_no_edit(made: dict[str, list[Row]]) -> None:
    none = [row for row in made["lom"] if row["kind"] == "NONE"]
    assert none
    assert all(json.loads(row["answer"]) == {"edits": []} for row in none)


def test_parts_share_no_database_and_the_seed_names_the_draw(
    own: Dataset, made: dict[str, list[Row]]
) -> None:
    rows = made["lom"]
    part_of = {row["db_id"]: row["part"] for row in rows}
    assert part_of == {"north": "train", "south": "train", "harbour": "train", "garden": "validation"}
    assert all(part_of[row["db_id"]] == row["part"] for row in rows)
    assert rows == examples("lom", own)


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("SELECT genre FROM book", "[COLUMN:1] = book.title"),
        ("SELECT genre FROM book WHERE pages > 1", None),
        ("SELECT title FROM book", None),
        ("no SQL", None),
    ],
)
def test_the_actors_wrong_names_are_examples(sql: str, found: str | None, own: Dataset) -> None:
    first: Item = own.items[0]
    assert first.gold == "SELECT title FROM book"
    row = next(actor_sam_row(gold, sql) for gold in opened([first]))
    assert (row is None) if found is None else (row is not None and found in row["answer"])
