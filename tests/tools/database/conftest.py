"""A small SQLite file for the tests of the sandbox."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from critiql.tools.database.guard.policy import AccessPolicy
from critiql.tools.database.open import open_database
from critiql.tools.database.sqlite.open import SqliteDatabase

TABLES = """
CREATE TABLE a (id INTEGER PRIMARY KEY, x TEXT);
CREATE TABLE b (id INTEGER PRIMARY KEY, a_id INTEGER REFERENCES a, y REAL);
INSERT INTO a VALUES (1, 'one'), (2, 'two'), (3, NULL), (4, 'four');
INSERT INTO b VALUES (1, 1, 1.5), (2, 1, 2.5);
"""

Build = Callable[..., Path]
Open = Callable[..., SqliteDatabase]


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """Write a SQLite file from a script."""

    def write(script: str = TABLES, name: str = "small.sqlite") -> Path:
        with closing(sqlite3.connect(tmp_path / name)) as connection:
            connection.executescript(script)
            connection.commit()
        return tmp_path / name

    return write


@pytest.fixture
def opened(build: Build) -> Iterator[Open]:
    """Open a file, or one made from a script, and close it after the test."""
    with ExitStack() as stack:

        def open_it(script: str | Path = TABLES, policy: AccessPolicy | None = None) -> SqliteDatabase:
            database = open_database(script if isinstance(script, Path) else build(script), policy)
            assert isinstance(database, SqliteDatabase)
            stack.callback(database.close)
            return database

        yield open_it
