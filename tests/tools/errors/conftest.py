"""A small library as a database, and queries read against it."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from critiql.tools.database.engine import Database
from critiql.tools.database.open import open_database
from critiql.tools.errors.lookup import DatabaseValues
from critiql.tools.errors.query import Query
from critiql.tools.errors.rules import read

FIXTURES = Path(__file__).parents[2] / "fixtures" / "errors"


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """The library, opened read-only."""
    path = tmp_path_factory.mktemp("library") / "library.sqlite"
    connection = sqlite3.connect(path)
    connection.executescript((FIXTURES / "library.sql").read_text(encoding="utf-8"))
    connection.close()
    database = open_database(path)
    yield database
    database.close()


@pytest.fixture(scope="session")
def values(library: Database) -> DatabaseValues:
    """LookUp over the library."""
    return DatabaseValues(library)


@pytest.fixture(scope="session")
def reading(library: Database, values: DatabaseValues) -> Callable[..., Query]:
    """Read a query against the library; it must be readable."""

    def query(sql: str, question: str = "", *, looked_up: bool = True) -> Query:
        found = read(sql, library.schema(), question=question, values=values if looked_up else None)
        assert isinstance(found, Query)
        return found

    return query
