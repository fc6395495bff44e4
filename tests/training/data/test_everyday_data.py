"""Examples in the shapes that analysts use: they run, and databases that measure do not train."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from critiql.evals.data.item import Dataset
from critiql.training.data import parts
from critiql.training.data.everyday_data import everyday_rows
from critiql.training.data.example_file import Row

pytestmark = pytest.mark.whole


@pytest.fixture(scope="module")
def two_train() -> Iterator[None]:
    """Two of the four copies of the library train, and two measure."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parts, "part_of", lambda name: "fit" if name in ("north", "south") else "validate")
        yield


@pytest.fixture(scope="module")
def rows(own: Dataset, two_train: None) -> list[Row]:
    """What is made of one that trains and one that measures."""
    two = [item for item in own.items if item.db_id in ("north", "harbour")]
    return everyday_rows(two, None, 0, lambda _: lambda: None)


def test_databases_that_measure_do_not_train(rows: list[Row]) -> None:
    by_part = {
        part: {row["db_id"] for row in rows if row["part"] == part} for part in ("train", "validation")
    }
    assert by_part == {"train": {"north"}, "validation": {"harbour"}}


def test_every_answer_runs_and_gives_rows(rows: list[Row], own_file: Path) -> None:
    assert len({row["kind"] for row in rows}) >= 6
    for row in rows:
        sql = row["answer"].removeprefix(row["opening"])
        with closing(sqlite3.connect(own_file.parent / f"{row['db_id']}.sqlite")) as connection:
            assert connection.execute(sql).fetchall()


def test_the_same_seed_makes_the_same_examples_and_a_limit_keeps_the_shapes(
    own: Dataset, two_train: None, rows: list[Row]
) -> None:
    one = [item for item in own.items if item.db_id == "north"]
    few = everyday_rows(one, 12, 0, lambda _: lambda: None)
    assert all(row in rows for row in few)
    assert 4 <= len(few) <= 12
    assert len({row["kind"] for row in few}) >= 4
