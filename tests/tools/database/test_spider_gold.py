"""Every gold query of Spider gives the same rows in the sandbox as outside, and every schema can be read.

On SQLite as it is; on DuckDB as sqlglot translates it, for a sample of databases and the first rows of each
table. A policy that denies nothing which is there, and lists all that is, refuses none of them on either.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import groupby, islice
from pathlib import Path
from typing import Any

import duckdb
import pytest
import sqlglot
from sqlglot.errors import SqlglotError

from critiql.tools.database.engine import Database
from critiql.tools.database.guard.policy import AccessPolicy
from critiql.tools.database.open import open_database
from critiql.tools.database.result import Limits, Rows
from critiql.tools.schema.ddl import ddl
from critiql.tools.schema.model import Schema
from critiql.tools.schema.mschema import mschema
from critiql.tools.settings import Settings

pytestmark = [pytest.mark.data, pytest.mark.slow]
WIDE = Limits(seconds=30, rows=10**6, total_bytes=10**8, cell_bytes=10**7)
EXECUTABLE = 9594
DIFFERENT = 5237
"""Of these, those that differ in their text and database."""
SAMPLED = 4
"""Every fourth database is tried on DuckDB, since opening each twice takes most of the time."""
ON_DUCKDB = 897
"""Of the different ones there, so many run on plain DuckDB, which is stricter about types and GROUP BY."""
COPIED_ROWS = 200
"""Rows of each table that are copied to DuckDB: what a wall refuses does not depend on them."""
NUMBERS = {"INT": "BIGINT"} | dict.fromkeys(("REAL", "FLOA", "DOUB", "NUM", "DEC"), "DOUBLE")
"""DuckDB's type by what a declared one holds; anything else is text."""


@pytest.fixture
def spider() -> Path:
    folder = Settings().data
    if folder is None or not (folder / "spider").is_dir():
        pytest.skip("CRITIQL_DATA does not name a folder with Spider in it")
    return folder / "spider"


def _gold(spider: Path) -> Iterator[tuple[Path, list[str]]]:
    """Database files with their gold queries; questions whose database is not there are left out."""
    lines = [
        line.split("\t")
        for name in ("dev_gold.sql", "train_gold.sql")
        for line in (spider / name).read_text().splitlines()
        if line.strip()
    ]
    for name, items in groupby(sorted(lines, key=lambda line: line[1]), key=lambda line: line[1]):
        path = spider / "database" / name / f"{name}.sqlite"
        if path.exists():
            yield path, [item[0] for item in items]


def _plain_rows(connection: sqlite3.Connection, sql: str) -> list[tuple[object, ...]] | None:
    try:
        return connection.execute(sql).fetchall()
    except sqlite3.Error:
        return None


def test_gold_queries_give_the_same_rows(spider: Path) -> None:
    executable = 0
    for path, queries in _gold(spider):
        database = open_database(path)
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as plain:
            plain.text_factory = lambda raw: raw.decode("utf-8", "replace")
            for sql in queries:
                expected = _plain_rows(plain, sql)
                result = database.run(sql, WIDE)
                assert result.ok == (expected is not None), (path.name, sql, result)
                if isinstance(result, Rows):
                    executable += 1
                    assert (list(result.rows), result.truncated) == (expected, False), (path.name, sql)
        database.close()
    assert executable == EXECUTABLE


def _policy_of(schema: Schema) -> AccessPolicy:
    """Every kind of list: all tables allowed by name, an absent table and an absent column denied."""
    names = frozenset(table.name for table in schema.tables)
    return AccessPolicy(names, frozenset({"absent"}), frozenset({"absent.value"}))


def _databases(url: str) -> tuple[Database, Database]:
    """The same database without a policy and with one."""
    bare = open_database(url)
    return bare, open_database(url, _policy_of(bare.schema()))


def test_gold_queries_run_under_a_policy(spider: Path) -> None:
    ran, refused = 0, []
    for path, queries in _gold(spider):
        with closing(open_database(path)) as bare:
            schema = bare.schema()
        with (
            closing(open_database(path, _policy_of(schema))) as database,
            closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as plain,
        ):
            plain.text_factory = lambda raw: raw.decode("utf-8", "replace")
            for sql in dict.fromkeys(queries):
                if _plain_rows(plain, f"EXPLAIN {sql}") is not None:
                    result = database.run(sql, WIDE)
                    ran += 1
                    refused += [] if result.ok else [(path.name, sql, result)]
    assert refused == []
    assert ran == DIFFERENT


def _copied(path: Path, target: Path) -> str:
    """The URL of a DuckDB file with the tables of a SQLite file and the first rows of each."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as source:
        source.text_factory = lambda raw: raw.decode("utf-8", "replace")
        with duckdb.connect(str(target)) as connection:
            found = source.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            for (table,) in found:
                if not table.startswith("sqlite_"):
                    _copy(source, connection, table)
    return f"duckdb:///{target}"


def _copy(source: sqlite3.Connection, connection: Any, table: str) -> None:
    columns = [(row[1], _type_of(row[2])) for row in source.execute(f'PRAGMA table_info("{table}")')]
    made = ", ".join(f'"{name}" {kind}' for name, kind in columns)
    connection.execute(f'CREATE TABLE "{table}" ({made})')
    rows = source.execute(f'SELECT * FROM "{table}" LIMIT {COPIED_ROWS}').fetchall()
    lists = [
        [None if value is None else str(value) for value in column] for column in zip(*rows, strict=True)
    ]
    cast = ", ".join(f"TRY_CAST(unnest(?::VARCHAR[]) AS {kind})" for _, kind in columns)
    if rows:
        connection.execute(f'INSERT INTO "{table}" SELECT {cast}', lists)


def _type_of(declared: str) -> str:
    return next((kind for part, kind in NUMBERS.items() if part in declared.upper()), "VARCHAR")


def _translated(sql: str) -> str | None:
    try:
        return sqlglot.transpile(sql, read="sqlite", write="duckdb")[0]
    except SqlglotError:
        return None


def _runs(connection: Any, sql: str) -> bool:
    try:
        connection.execute(sql).fetchall()
    except duckdb.Error:
        return False
    return True


def test_gold_queries_run_on_duckdb_with_and_without_a_policy(spider: Path, tmp_path: Path) -> None:
    ran, refused = 0, []
    for path, queries in islice(_gold(spider), 0, None, SAMPLED):
        url = _copied(path, tmp_path / f"{path.stem}.duckdb")
        candidates = [sql for sql in map(_translated, dict.fromkeys(queries)) if sql is not None]
        with duckdb.connect(url.removeprefix("duckdb:///"), read_only=True) as plain:
            executable = [sql for sql in candidates if _runs(plain, sql)]
        for database in _databases(url):
            with closing(database):
                results = [(sql, database.run(sql, WIDE)) for sql in executable]
            refused += [(path.name, sql, result) for sql, result in results if not result.ok]
        ran += len(executable)
    assert refused == []
    assert ran == ON_DUCKDB


def test_every_schema_can_be_read_and_printed_twice_alike(spider: Path) -> None:
    paths = sorted((spider / "database").glob("*/*.sqlite"))
    for path in paths:
        texts = []
        for _ in range(2):
            database = open_database(path)
            schema = database.schema()
            texts.append((ddl(schema, 3), mschema(schema)))
            database.close()
        assert texts[0] == texts[1], path.name
        assert all(table.columns for table in schema.tables)
    assert paths
