"""A SQLite file under several names, in write-ahead mode and in use: never an old answer."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from critiql.tools.database.engine import DatabaseError
from critiql.tools.database.open import open_database
from critiql.tools.database.result import Rows
from critiql.tools.database.sqlite.files import file_state


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Path]:
    """A database in write-ahead mode with one row in the file and one in the log of a program that runs."""
    (tmp_path / "own").mkdir()
    path = tmp_path / "own" / "live.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = wal")
        connection.execute("CREATE TABLE t (a)")
        connection.execute("INSERT INTO t VALUES (1)")
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("INSERT INTO t VALUES (2)")
        connection.commit()
        yield path


def _count(path: Path) -> object:
    database = open_database(path)
    try:
        result = database.run("SELECT count(*) FROM t")
    finally:
        database.close()
    assert isinstance(result, Rows), result
    return result.rows[0][0]


def test_a_symbolic_link_shows_the_rows_of_the_log(live: Path, tmp_path: Path) -> None:
    (tmp_path / "link.db").symlink_to(live)
    assert _count(tmp_path / "link.db") == 2


def test_a_hard_link_beside_it_shows_the_rows_of_the_log(live: Path) -> None:
    live.with_name("other.db").hardlink_to(live)
    assert _count(live.with_name("other.db")) == 2


def test_a_hard_link_elsewhere_is_refused_rather_than_read_without_its_log(
    live: Path, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere.db").hardlink_to(live)
    with pytest.raises(DatabaseError, match="hard link"):
        open_database(tmp_path / "elsewhere.db")


def test_a_database_that_is_open_with_an_empty_log_is_live(live: Path) -> None:
    with closing(sqlite3.connect(live)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert Path(f"{live}-wal").stat().st_size == 0
    assert file_state(str(live)).is_live
    assert _count(live) == 2


def test_hard_links_of_a_database_with_a_rollback_journal_are_read(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    with closing(sqlite3.connect(tmp_path / "own" / "a.db")) as connection:
        connection.execute("CREATE TABLE t (a)")
    (tmp_path / "b.db").hardlink_to(tmp_path / "own" / "a.db")
    assert _count(tmp_path / "b.db") == 0
