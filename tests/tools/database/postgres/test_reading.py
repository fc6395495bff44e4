"""A statement read by PostgreSQL's grammar: one SELECT or not, its names, and what it reads of a guarded
table."""

import json
from pathlib import Path
from typing import Any

import pytest

from critiql.tools.database.guard.single_select import Refusal
from critiql.tools.database.postgres.columns import DeniedReadError, Resolver, Source
from critiql.tools.database.postgres.functions import CATALOGUE_FUNCTIONS, FUNCTIONS
from critiql.tools.database.postgres.reading import Statement, read_statement

FIXTURES = Path(__file__).parents[3] / "fixtures" / "database"
TABLES = {
    "people": Source("people", ("id", "name", "card"), frozenset({"card"})),
    "orders": Source("orders", ("id", "amount")),
    "counts": Source("counts", ("people",)),
}


def read(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (FIXTURES / name).read_text("utf-8").splitlines()]


def read_one(sql: str) -> Statement:
    found = read_statement(sql)
    assert isinstance(found, Statement), found
    return found


@pytest.mark.parametrize("case", read("postgres_reading.jsonl"), ids=lambda case: repr(case["sql"][:50]))
def test_one_select_or_not(case: dict[str, Any]) -> None:
    found = read_statement(case["sql"])
    assert (found.kind if isinstance(found, Refusal) else "runs") == case["verdict"], found


@pytest.mark.parametrize("case", read("postgres_names.jsonl"), ids=lambda case: repr(case["sql"][:50]))
def test_names(case: dict[str, Any]) -> None:
    names = getattr(read_one(case["sql"]).names, case["kind"])
    assert sorted(names) == [tuple(name) if isinstance(name, list) else name for name in case["names"]]


@pytest.mark.parametrize(
    ("sql", "text", "query"),
    [
        ("SELECT 1; -- done", "SELECT 1", "SELECT 1"),
        ("EXPLAIN (FORMAT JSON) SELECT 'é'", "EXPLAIN (FORMAT JSON) SELECT 'é'", "SELECT 'é'"),
        ("explain /* select */ analyze (select 1);", "explain /* select */ analyze (select 1)", "(select 1)"),
    ],
)
def test_only_what_was_read_is_sent(sql: str, text: str, query: str) -> None:
    found = read_one(sql)
    assert (found.text, found.query) == (text, query)


def look_up(schema: str, name: str) -> Source:
    if name not in TABLES:
        raise DeniedReadError(f"there is no {name}", name)
    return TABLES[name]


@pytest.mark.parametrize("case", read("postgres_columns.jsonl"), ids=lambda case: case["sql"][:70])
def test_columns_by_scope(case: dict[str, Any]) -> None:
    select = read_one(case["sql"]).select
    if case["denied"] is None:
        Resolver(look_up).select(select, [], {})
        return
    with pytest.raises(DeniedReadError, match=case["denied"]):
        Resolver(look_up).select(select, [], {})


def test_nothing_that_reads_by_text_waits_or_locks_is_listed() -> None:
    listed = FUNCTIONS | CATALOGUE_FUNCTIONS
    assert not [name for name in listed if name.startswith(("pg_read", "pg_ls_", "pg_sleep", "pg_advisory"))]
    assert not listed & {"query_to_xml", "ts_stat", "ts_rewrite", "set_config", "lo_get", "dblink", "nextval"}
    assert not FUNCTIONS & CATALOGUE_FUNCTIONS
