"""The table of a user's own adapter: counted right, and honest about how little few pairs say."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest

from critiql.tools.database.engine import Database
from critiql.tools.database.open import open_database
from critiql.training.adapters.before_after import MANY, Compared, right_answers

VERIFIED = ["SELECT id FROM item", "SELECT id FROM item ORDER BY id DESC"]
ANSWERS = [
    ("SELECT id FROM item ORDER BY id DESC", [True, True]),
    ("SELECT id FROM item", [True, False]),
    ("SELECT COUNT(*) FROM item", [False, False]),
    ("SELECT nothing FROM item", [False, False]),
]


@pytest.fixture(scope="module")
def items(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    path = tmp_path_factory.mktemp("items") / "items.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("CREATE TABLE item (id INT); INSERT INTO item VALUES (1), (2), (3);")
    with closing(open_database(path)) as database:
        yield database


@pytest.mark.parametrize(("written", "right"), ANSWERS)
def test_an_answer_is_right_by_its_rows_and_their_order_where_it_counts(
    written: str, right: list[bool], items: Database, scripted: Callable[..., Any]
) -> None:
    rows = [
        {"prefix": "P", "request": "R", "opening": "```sql\n", "answer": f"```sql\n{sql}"} for sql in VERIFIED
    ]
    model = scripted([written])
    assert right_answers(rows, model, items) == right
    assert all(sampling.temperature == 0 for _, _, sampling in model.asked)


def test_the_table_counts_what_was_fixed_and_broken() -> None:
    compared = Compared([True, False, False, True], [True, True, False, False])
    assert compared.as_row() == {
        "n": 4, "right_before": 2, "right_after": 2, "fixed": 1, "broken": 1, "p": 1.0,
    }  # fmt: skip
    lines = "\n".join(compared.lines())
    assert "1 fixed, 1 broken" in lines
    assert "4 held-out pairs say little" in lines


def test_many_pairs_are_not_called_few() -> None:
    lines = Compared([False] * MANY, [True] * MANY).lines()
    assert not any("say little" in line for line in lines)
    assert lines[1].split() == ["without", "adapter", "0", str(MANY), "0", "to", "4", "%"]
