"""The schema of SQLite files: odd names, keys, views, what is left out."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from critiql.tools.database.engine import Database
from critiql.tools.database.guard.policy import AccessPolicy
from critiql.tools.database.result import Limits, Rows
from critiql.tools.schema.ddl import ddl
from critiql.tools.schema.model import ForeignKey
from critiql.tools.schema.mschema import mschema
from critiql.tools.schema.quoting import quote_name

Open = Callable[..., Database]

ODD_NAMES = [
    "two words",
    'quo"te',
    "do.t",
    "select",
    "größe",
    "表",
    "123",
    "a'b",
    "semi;colon",
    "tab\tbed",
    "[x]",
    "`y`",
    "-",
    "Sqlitelike",
]


def test_keys_types_counts_and_samples(opened: Open) -> None:
    schema = opened().schema()
    a, b = schema.tables
    assert [(c.name, c.type, c.primary_key) for c in a.columns] == [
        ("id", "INTEGER", True),
        ("x", "TEXT", False),
    ]
    assert (a.row_count, b.row_count) == (4, 2)
    assert b.foreign_keys == (ForeignKey("b", ("a_id",), "a", ("id",)),)  # REFERENCES a names no column
    assert schema.samples["a"] == ((1, "one"), (2, "two"), (3, None))


def test_foreign_keys_composite_implicit_in_other_case_and_malformed(opened: Open) -> None:
    script = """
    CREATE TABLE parent (one INTEGER, two INTEGER, PRIMARY KEY (two, one));
    CREATE TABLE child (p INTEGER, q INTEGER, r INTEGER,
      FOREIGN KEY (p, q) REFERENCES Parent,
      FOREIGN KEY (Q, P) REFERENCES PARENT (ONE, TWO),
      FOREIGN KEY (r) REFERENCES nowhere (id),
      FOREIGN KEY (r) REFERENCES parent (no_such_column),
      FOREIGN KEY (r) REFERENCES parent);
    """
    child = opened(script).schema().table("child")
    assert child is not None
    assert child.foreign_keys == (
        ForeignKey("child", ("p", "q"), "parent", ("two", "one")),
        ForeignKey("child", ("q", "p"), "parent", ("one", "two")),
    )


def test_internal_virtual_and_broken_things_are_left_out(opened: Open) -> None:
    script = """
    CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, v INTEGER, twice INTEGER AS (v * 2));
    INSERT INTO t (v) VALUES (4);
    CREATE VIRTUAL TABLE words USING fts5(body);
    CREATE VIEW good AS SELECT id, twice FROM t;
    CREATE VIEW broken AS SELECT * FROM vanished;
    ANALYZE;
    """
    schema = opened(script).schema()
    assert [(table.name, table.is_view, table.row_count) for table in schema.tables] == [
        ("t", False, 1),
        ("good", True, None),
    ]
    assert [column.name for column in schema.tables[0].columns] == ["id", "v", "twice"]
    assert schema.samples == {"t": ((1, 4, 8),)}


def test_odd_names_are_read_counted_sampled_and_quoted(opened: Open) -> None:
    quoted = ['"' + name.replace('"', '""') + '"' for name in ODD_NAMES]
    database = opened(
        "".join(f"CREATE TABLE {q} ({q} TEXT); INSERT INTO {q} VALUES ('here');" for q in quoted)
    )
    schema = database.schema()
    assert {table.name: table.row_count for table in schema.tables} == dict.fromkeys(ODD_NAMES, 1)
    assert schema.samples == dict.fromkeys(ODD_NAMES, (("here",),))
    for name in filter(str.isprintable, ODD_NAMES):
        result = database.run(f"SELECT {quote_name(name, 'sqlite')} FROM {quote_name(name, 'sqlite')}")
        assert isinstance(result, Rows), name
        assert result.rows == (("here",),), name
    assert "\t" not in ddl(schema, 1) + mschema(schema)


def test_a_table_of_500_columns(opened: Open) -> None:
    columns = ", ".join(f"c{i} INTEGER" for i in range(500))
    schema = opened(f"CREATE TABLE wide ({columns});").schema()
    assert len(schema.tables[0].columns) == 500
    assert len(ddl(schema).splitlines()) == 502


@pytest.mark.slow
def test_20_000_views_are_read(build: Callable[..., Path], opened: Open) -> None:
    path = build("CREATE TABLE t (a); INSERT INTO t VALUES (7);")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA writable_schema = ON")  # CREATE VIEW takes minutes for as many
        rows = ((f"v{n}", f"v{n}", f"CREATE VIEW v{n} AS SELECT a FROM t") for n in range(20_000))
        connection.executemany("INSERT INTO sqlite_master VALUES ('view', ?, ?, 0, ?)", rows)
        connection.commit()
    database = opened(path)
    assert len(database.schema().tables) == 20_001
    result = database.run("SELECT a FROM v19999", Limits(seconds=60))
    assert isinstance(result, Rows), result
    assert result.rows == ((7,),)


def test_a_policy_hides_tables_columns_and_keys_to_them(build: Callable[..., Path], opened: Open) -> None:
    path = build()
    no_a = opened(path, AccessPolicy(deny_tables=frozenset({"A"}))).schema()
    assert [table.name for table in no_a.tables] == ["b"]
    assert no_a.foreign_keys == ()
    no_x = opened(path, AccessPolicy(deny_columns=frozenset({"a.X"}))).schema()
    assert [column.name for column in no_x.tables[0].columns] == ["id"]
    assert no_x.samples["a"] == ((1,), (2,), (3,))


def test_hostile_views_and_values_do_not_hold_introspection_up(opened: Open) -> None:
    script = """
    CREATE TABLE t (x);
    INSERT INTO t VALUES ('*/ DROP TABLE t; /*'), (char(27) || '[31m'), ('line' || char(10) || 'break');
    CREATE VIEW bomb AS SELECT printf('%.*c', 900000000, 'x') AS x;
    """
    text = ddl(opened(script).schema(), 3)
    assert text.count("*/") == 1
    assert "\x1b" not in text
    assert "line\\nbreak" in text
