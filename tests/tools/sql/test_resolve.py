"""Names resolved as SQLite resolves them."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from sqlglot import exp

from critiql.tools.database.guard.policy import AccessPolicy
from critiql.tools.database.sqlite.introspect import tables
from critiql.tools.database.structure import schema_of
from critiql.tools.schema.model import Schema
from critiql.tools.sql.parse import Parsed, parse
from critiql.tools.sql.resolve import resolve
from critiql.tools.sql.scope import Resolution

FIXTURES = Path(__file__).parents[2] / "fixtures" / "sql"
NAME_ERRORS = ("no such column", "no such table", "ambiguous column", "cannot join using")


def cases() -> list[dict[str, Any]]:
    lines = (FIXTURES / "unresolved.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def queries() -> list[str]:
    lines = (FIXTURES / "queries.sql").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if not line.startswith("--")]


def resolved(sql: str, schema: Schema) -> Resolution:
    parsed = parse(sql)
    assert isinstance(parsed, Parsed)
    return resolve(parsed.tree, schema)


def column(resolution: Resolution, text: str) -> exp.Column:
    return next(node for node in resolution.tree.find_all(exp.Column) if node.sql() == text)


@pytest.mark.parametrize("sql", queries())
def test_what_runs_resolves(sql: str, schema: Schema, library: sqlite3.Connection) -> None:
    library.execute(sql)
    assert [found.name for found in resolved(sql, schema).unresolved] == []


@pytest.mark.parametrize("case", cases(), ids=lambda case: case["sql"])
def test_what_fails_does_not(case: dict[str, Any], schema: Schema, library: sqlite3.Connection) -> None:
    found = resolved(case["sql"], schema).unresolved
    assert [[each.kind, each.name] for each in found] == case["unresolved"]
    with pytest.raises(sqlite3.OperationalError) as error:
        library.execute(case["sql"])
    assert str(error.value).startswith((*NAME_ERRORS, "unknown database", "no tables"))


@pytest.mark.parametrize(
    ("sql", "text", "table", "name", "level"),
    [
        ("SELECT title FROM book", "title", "book", "title", 0),
        ("SELECT B.TITLE FROM Book AS b", "B.TITLE", "book", "title", 0),
        ("SELECT 1 FROM author AS a WHERE EXISTS (SELECT 1 FROM book WHERE pages = a.birth_year)",
         "a.birth_year", "author", "birth_year", 1),
        ("SELECT 1 FROM author WHERE EXISTS (SELECT 1 FROM book WHERE pages = birth_year)",
         "birth_year", "author", "birth_year", 1),
        ("SELECT x.t FROM (SELECT title AS t FROM book) AS x", "x.t", "book", "title", 0),
        ("WITH c(t) AS (SELECT title FROM book) SELECT t FROM c", "t", "book", "title", 0),
        ("SELECT x.title FROM (SELECT * FROM book) AS x", "x.title", "book", "title", 0),
        ("SELECT name FROM author UNION SELECT name FROM publisher ORDER BY name",
         "name", "author", "name", 0),
        ("SELECT book_id FROM book JOIN review USING (book_id)", "book_id", "book", "book_id", 0),
    ],
)  # fmt: skip
def test_bindings(sql: str, text: str, table: str, name: str, level: int, schema: Schema) -> None:
    resolution = resolved(sql, schema)
    binding = resolution.binding(column(resolution, text))
    assert binding is not None
    assert binding.table is schema.table(table)
    assert binding.column is not None
    assert (binding.column.name, binding.level) == (name, level)


def test_a_computed_column_has_no_schema_column(schema: Schema) -> None:
    resolution = resolved("SELECT x.n FROM (SELECT count(*) AS n FROM book) AS x", schema)
    binding = resolution.binding(column(resolution, "x.n"))
    assert binding is not None
    assert (binding.table, binding.column, binding.source.name) == (None, None, "x")


def test_double_quoted_names_that_are_no_columns_are_text(schema: Schema) -> None:
    resolution = resolved('SELECT "title" FROM book WHERE title = "Fjord" AND "pages" > 1', schema)
    assert [node.name for node in resolution.strings] == ["Fjord"]
    assert resolution.is_string(column(resolution, '"Fjord"'))
    assert not resolution.is_string(column(resolution, '"title"'))


def test_they_are_unknown_columns_elsewhere(schema: Schema) -> None:
    postgres = Schema(schema.tables, dialect="postgres")
    assert [
        found.name for found in resolved('SELECT 1 FROM book WHERE title = "Fjord"', postgres).unresolved
    ] == ["Fjord"]


def test_alias_uses(schema: Schema) -> None:
    resolution = resolved(
        "SELECT pages AS p, title AS year FROM book WHERE p > 1 AND year > 1 ORDER BY year", schema
    )
    used = sorted(alias.alias for alias in resolution.alias_uses.values())
    assert used == ["p", "year"]
    where_year = next(
        node for node in resolution.tree.args["where"].find_all(exp.Column) if node.name == "year"
    )
    assert resolution.binding(where_year) is not None


@pytest.mark.parametrize(
    ("sql", "pairs"),
    [
        (
            "SELECT 1 FROM book AS b JOIN author AS a ON b.author_id = a.author_id",
            ["b.author_id = a.author_id"],
        ),
        (
            "SELECT 1 FROM book AS b, author AS a WHERE (b.author_id = a.author_id) AND b.year = 1",
            ["b.author_id = a.author_id"],
        ),
        ("SELECT 1 FROM book JOIN review USING (book_id)", ["book.book_id = review.book_id"]),
        ("SELECT 1 FROM book NATURAL JOIN review", ["book.book_id = review.book_id"]),
        (
            "SELECT 1 FROM book AS b JOIN author AS a ON b.author_id = a.author_id OR b.year = a.birth_year",
            [],
        ),
        (
            "SELECT 1 FROM book AS b WHERE EXISTS (SELECT 1 FROM author AS a WHERE a.name = b.title)",
            [],
        ),
    ],
)
def test_joins(sql: str, pairs: list[str], schema: Schema) -> None:
    found = resolved(sql, schema).joins
    shown = [f"{j.left.source.name}.{j.left.name} = {j.right.source.name}.{j.right.name}" for j in found]
    assert shown == pairs


def test_scopes_and_owners(schema: Schema) -> None:
    resolution = resolved("SELECT title FROM book WHERE author_id IN (SELECT author_id FROM author)", schema)
    outer, inner = resolution.scopes
    assert inner.parent is outer
    assert [source.name for source in inner.sources] == ["author"]
    assert resolution.scope(column(resolution, "title")) is outer


@pytest.mark.data
@pytest.mark.slow
def test_gold_queries_resolve_where_they_run(spider: Path, spider_sql: list[tuple[str, str]]) -> None:
    """Every gold query that runs resolves; every one that fails on a name does not."""
    connections: dict[str, tuple[sqlite3.Connection, Schema]] = {}
    checked = 0
    for db, sql in spider_sql:
        file = spider / "database" / db / f"{db}.sqlite"
        parsed = parse(sql)
        if not file.is_file() or not isinstance(parsed, Parsed):
            continue
        if db not in connections:
            connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
            connections[db] = (connection, schema_of(tables(connection), "sqlite", AccessPolicy()))
        connection, schema = connections[db]
        try:
            connection.execute(f"EXPLAIN {sql}")
            message = ""
        except sqlite3.Error as error:
            message = str(error)
        assert resolve(parsed.tree, schema).complete == (not message.startswith(NAME_ERRORS)), sql
        checked += 1
    assert checked > 9_000
    for connection, _ in connections.values():
        connection.close()
