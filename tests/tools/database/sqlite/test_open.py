"""SQLite through the sandbox: values, caps, typed failures, and what makes a file hard to read."""

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from critiql.tools.database.engine import Database, DatabaseError
from critiql.tools.database.open import open_database
from critiql.tools.database.result import Failure, Limits, Rows

pytestmark = pytest.mark.process

FAILURES = [
    json.loads(line)
    for line in (Path(__file__).parents[3] / "fixtures/database/sqlite_failures.jsonl")
    .read_text()
    .splitlines()
]


def rows_of(database: Database, sql: str, limits: Limits = Limits()) -> Rows:  # noqa: B008 - frozen
    result = database.run(sql, limits)
    assert isinstance(result, Rows), result
    return result


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    path = tmp_path_factory.mktemp("small") / "small.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "CREATE TABLE a (id INTEGER PRIMARY KEY, x TEXT);"
            "CREATE TABLE b (id INTEGER PRIMARY KEY, a_id INTEGER REFERENCES a, y REAL);"
            "INSERT INTO a VALUES (1, 'one'), (2, 'two'), (3, NULL), (4, 'four');"
        )
    database = open_database(path)
    yield database
    database.close()


@pytest.mark.parametrize("case", FAILURES, ids=lambda case: case["sql"][:40] or "nothing")
def test_failures_are_typed_and_named(case: dict[str, Any], small: Database) -> None:
    result = small.run(case["sql"])
    assert isinstance(result, Failure), result
    assert (result.kind, result.name) == (case["kind"], case["name"]), result.message


@pytest.mark.parametrize(
    ("sql", "value"),
    [
        ("SELECT 9223372036854775807", 9223372036854775807),
        ("SELECT 0.1", 0.1),
        ("SELECT 1e999", float("inf")),
        ("SELECT -1e999", float("-inf")),
        ("SELECT NULL", None),
        ("SELECT x'00ff10'", b"\x00\xff\x10"),
        ("SELECT 'grün ✓ 𝄞'", "grün ✓ 𝄞"),
        ("SELECT 'a' || char(0) || 'b'", "a\x00b"),
        ("SELECT CAST(x'61ff62' AS TEXT)", "a\ufffdb"),
        ('SELECT \'{"b64": "AA=="}\'', '{"b64": "AA=="}'),
        ("SELECT 1.0", 1.0),
    ],
)
def test_values_arrive_unchanged(sql: str, value: object, small: Database) -> None:
    found = rows_of(small, sql).rows[0][0]
    assert found == value
    assert type(found) is type(value)


def test_rows_are_cut_and_say_so(small: Database) -> None:
    cut = rows_of(small, "SELECT id FROM a", Limits(rows=2))
    assert (cut.rows, cut.truncated) == (((1,), (2,)), True)
    whole = rows_of(small, "SELECT id FROM a", Limits(rows=4))
    assert (len(whole.rows), whole.truncated) == (4, False)


def test_bytes_and_cells_are_cut_and_say_so(small: Database) -> None:
    cell = rows_of(small, "SELECT 'äöü', x'010203'", Limits(cell_bytes=3))
    assert (cell.rows, cell.truncated) == ((("ä", b"\x01\x02\x03"),), True)
    total = rows_of(small, "SELECT 'xxxxxxxxxx' FROM a", Limits(total_bytes=25))
    assert (len(total.rows), total.truncated) == (2, True)


def test_an_endless_query_ends_in_time_and_the_next_one_works(small: Database) -> None:
    rows_of(small, "SELECT 1")
    started = time.monotonic()
    endless = small.run(
        "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT max(x) FROM c", Limits(0.2)
    )
    assert isinstance(endless, Failure)
    assert endless.kind == "timeout"
    assert time.monotonic() - started < 0.5
    assert rows_of(small, "SELECT 1").rows == ((1,),)


def test_column_names_and_empty_results(small: Database) -> None:
    result = rows_of(small, 'SELECT id AS "odd name", x FROM a WHERE id > 99')
    assert (result.columns, result.types, result.rows) == (("odd name", "x"), ("", ""), ())


def test_a_change_of_the_file_is_seen(build: Callable[..., Path], opened: Callable[..., Database]) -> None:
    path = build()
    database = opened(path)
    assert rows_of(database, "SELECT count(*) FROM a").rows == ((4,),)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("INSERT INTO a (x) VALUES ('five')")
        connection.execute("ALTER TABLE a ADD COLUMN z")
        connection.commit()
    assert rows_of(database, "SELECT count(*), max(z) FROM a").rows == ((5, None),)


def test_a_locked_database_says_so(build: Callable[..., Path], opened: Callable[..., Database]) -> None:
    path = build()
    database = opened(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        result = database.run("SELECT * FROM a")
        assert isinstance(result, Failure)
        assert result.kind == "locked"
        with pytest.raises(DatabaseError, match="locked by another program"):
            open_database(path)
        writer.execute("ROLLBACK")
    assert rows_of(database, "SELECT count(*) FROM a").rows == ((4,),)


def test_opening_keeps_the_locks_of_this_process(build: Callable[..., Path]) -> None:
    path = build()
    probe = (
        "import sqlite3, sys\n"
        "try: sqlite3.connect(sys.argv[1], timeout=0).execute('DELETE FROM a')\n"
        "except sqlite3.OperationalError as error: print(error)"
    )
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        with pytest.raises(DatabaseError):
            open_database(path)
        said = subprocess.run(
            [sys.executable, "-c", probe, str(path)], capture_output=True, text=True, check=True
        )
    assert "locked" in said.stdout


def test_a_write_ahead_database_is_read_without_a_trace(
    build: Callable[..., Path], opened: Callable[..., Database]
) -> None:
    path = build("PRAGMA journal_mode=WAL; CREATE TABLE t (x); INSERT INTO t VALUES (1);")
    database = opened(path)
    assert rows_of(database, "SELECT count(*) FROM t").rows == ((1,),)
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    with closing(sqlite3.connect(path)) as writer:
        writer.execute("INSERT INTO t VALUES (2)")
        writer.commit()
        assert rows_of(database, "SELECT count(*) FROM t").rows == ((2,),)
        writer.execute("INSERT INTO t VALUES (3)")
        writer.commit()
        assert rows_of(database, "SELECT count(*) FROM t").rows == ((3,),)


def test_a_file_its_writer_did_not_finish_says_what_to_do(build: Callable[..., Path], tmp_path: Path) -> None:
    path = build("PRAGMA journal_mode=WAL; CREATE TABLE t (x);")
    copy = tmp_path / "copy.sqlite"
    with closing(sqlite3.connect(path)) as writer:
        writer.execute("INSERT INTO t VALUES (1)")
        writer.commit()
        copy.write_bytes(path.read_bytes())
        Path(f"{copy}-wal").write_bytes(Path(f"{path}-wal").read_bytes())
    with pytest.raises(DatabaseError, match="did not finish"):
        open_database(copy)


def unreadable(path: Path) -> None:
    path.write_bytes(b"")
    path.chmod(0)


BAD_FILES: list[tuple[str, Callable[[Path], object], str]] = [
    ("missing", lambda path: None, "There is no file"),
    ("folder", lambda path: path.mkdir(), "is a folder"),
    ("text", lambda path: path.write_text("name,city\n" * 1000), "not a SQLite database"),
    ("short text", lambda path: path.write_text("hello"), "not a SQLite database"),
    ("noise", lambda path: path.write_bytes(os.urandom(5000)), "not a SQLite database"),
    ("empty", lambda path: path.touch(), "holds no table"),
    (
        "header only",
        lambda path: path.write_bytes(b"SQLite format 3\0" + bytes(5000)),
        "not a SQLite database",
    ),
]


@pytest.mark.parametrize(("name", "make", "says"), BAD_FILES, ids=[case[0] for case in BAD_FILES])
def test_bad_files(name: str, make: Callable[[Path], object], says: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.sqlite"
    make(path)
    with pytest.raises(DatabaseError, match=says):
        open_database(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_no_permission(tmp_path: Path) -> None:
    path = tmp_path / "closed.sqlite"
    unreadable(path)
    with pytest.raises(DatabaseError, match="permission denied"):
        open_database(path)


def test_a_damaged_page_is_data_not_a_crash(
    build: Callable[..., Path], opened: Callable[..., Database]
) -> None:
    path = build(
        "CREATE TABLE t (x); WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c LIMIT 5000) "
        "INSERT INTO t SELECT printf('%50d', i) FROM c;"
    )
    raw = bytearray(path.read_bytes())
    raw[8192 : 8192 + 4096 * 8] = b"\xff" * (4096 * 8)
    path.write_bytes(raw)
    result = opened(path).run("SELECT count(*), max(x) FROM t")
    assert isinstance(result, Failure)
    assert result.kind == "connection"
    assert "malformed" in result.message


def test_a_file_that_vanishes(build: Callable[..., Path], opened: Callable[..., Database]) -> None:
    path = build()
    database = opened(path)
    path.unlink()
    result = database.run("SELECT * FROM a")
    assert isinstance(result, Failure)
    assert result.kind == "connection"


def test_close_and_run_again(small: Database) -> None:
    rows_of(small, "SELECT 1")
    small.close()
    assert rows_of(small, "SELECT 1").rows == ((1,),)
