"""The library database of the SQL tools' tests, and its schema."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from critiql.tools.database.introspect_sqlite import tables
from critiql.tools.database.introspected import schema_of
from critiql.tools.database.policy import AccessPolicy
from critiql.tools.schema.model import Schema

DDL = Path(__file__).parents[2] / "fixtures" / "schema" / "library.sql"


@pytest.fixture(scope="session")
def library() -> Iterator[sqlite3.Connection]:
    """The library, in memory."""
    connection = sqlite3.connect(":memory:")
    connection.executescript(DDL.read_text(encoding="utf-8"))
    yield connection
    connection.close()


@pytest.fixture(scope="session")
def schema(library: sqlite3.Connection) -> Schema:
    """Its schema."""
    return schema_of(tables(library), "sqlite", AccessPolicy())
