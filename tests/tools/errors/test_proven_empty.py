import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from critiql.tools.database.open import get_database
from critiql.tools.errors.lookup import DatabaseValues
from critiql.tools.errors.proven_empty import is_proven_empty
from critiql.tools.errors.query import Query
from critiql.tools.errors.rules import read

LINES = Path(__file__).parents[2] / "fixtures" / "errors" / "proven_empty.jsonl"
CASES = [json.loads(line) for line in LINES.read_text(encoding="utf-8").splitlines()]


def query(sql: str, file: Path, *, looked_up: bool = True) -> Query:
    database = get_database(file)
    found = read(sql, database.schema(), values=DatabaseValues(database) if looked_up else None)
    assert isinstance(found, Query)
    return found


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_every_condition_is_looked_up(case: dict[str, Any], shop: Path) -> None:
    assert is_proven_empty(query(case["sql"], shop)) is case["proven"]


def test_nothing_is_proven_where_no_value_may_be_read(shop: Path) -> None:
    assert not is_proven_empty(query(CASES[0]["sql"], shop, looked_up=False))


def test_a_null_that_empties_not_in_proves_nothing(own_shop: Path) -> None:
    with closing(sqlite3.connect(own_shop)) as connection:
        connection.executescript("INSERT INTO item VALUES (4, 'shelf', 30.0, NULL)")
    assert not is_proven_empty(query(CASES[0]["sql"], own_shop))
