"""Name repair on a small library: every case says which queries come back, and each of them runs."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from critiql.tools.schema.model import Schema
from critiql.tools.sql.name_repair import closest_names, repair_names
from critiql.tools.sql.parse import Parsed, parse
from critiql.tools.sql.resolve import resolve

CASES = Path(__file__).parents[2] / "fixtures" / "sql" / "name_repair.jsonl"


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def parsed(sql: str) -> Parsed:
    found = parse(sql)
    assert isinstance(found, Parsed)
    return found


@pytest.mark.parametrize("case", read(CASES), ids=lambda case: case["sql"])
def test_repairs(case: dict[str, Any], schema: Schema, library: sqlite3.Connection) -> None:
    with pytest.raises(sqlite3.OperationalError, match=r"no such|ambiguous|cannot join"):
        library.execute(case["sql"])
    query = parsed(case["sql"])
    repairs = repair_names(query, schema, resolve(query.tree, schema))
    assert [repair.sql for repair in repairs] == case["repairs"]
    assert [repair.kind for repair in repairs] == case["kinds"]
    for repair in repairs:
        assert resolve(parsed(repair.sql).tree, schema).complete
        library.execute(repair.sql)
        assert len(repair.changes) == len(repair.kinds) > 0


def test_the_original_tree_stays_as_it_was(schema: Schema) -> None:
    query = parsed("SELECT T1.titel FROM bok AS T1")
    before = query.tree.sql()
    assert repair_names(query, schema, resolve(query.tree, schema))
    assert query.tree.sql() == before


def test_a_query_that_resolves_needs_no_repair(schema: Schema) -> None:
    query = parsed("SELECT title FROM book")
    assert repair_names(query, schema, resolve(query.tree, schema)) == []


@pytest.mark.parametrize(
    ("sql", "closest"),
    [
        ("SELECT titel FROM book", "book.title"),
        ("SELECT x.birthyear FROM author AS x", "author.birth_year"),
        ("SELECT 1 FROM authr", "author"),
        ("SELECT groupe FROM book", "order.group"),
    ],
)
def test_closest_names(sql: str, closest: str, schema: Schema) -> None:
    found = resolve(parsed(sql).tree, schema).unresolved[0]
    names = closest_names(found, schema, limit=3)
    assert names[0] == closest
    assert len(names) == 3
