"""The library database as a file, for linking, pruning and the value index."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from critiql.tools.database.engine import Database
from critiql.tools.database.open import open_database

DDL = Path(__file__).parents[2] / "fixtures" / "schema" / "library.sql"


@pytest.fixture
def library_file(tmp_path: Path) -> Path:
    """A file with the library in it."""
    path = tmp_path / "library.sqlite"
    connection = sqlite3.connect(path)
    connection.executescript(DDL.read_text(encoding="utf-8"))
    connection.close()
    return path


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """The library, opened read-only once for all tests."""
    path = tmp_path_factory.mktemp("library") / "library.sqlite"
    connection = sqlite3.connect(path)
    connection.executescript(DDL.read_text(encoding="utf-8"))
    connection.close()
    database = open_database(path)
    yield database
    database.close()
