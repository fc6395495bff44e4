"""The shop of the trajectory tests: its database and its schema."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from critiql.tools.database.engine import Database
from critiql.tools.database.open import open_database
from critiql.tools.schema.model import Schema

FIXTURES = Path(__file__).parents[2] / "fixtures" / "trajectory"


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """The shop, opened through the sandbox."""
    path = tmp_path_factory.mktemp("shop") / "shop.sqlite"
    with sqlite3.connect(path) as connection:
        connection.executescript((FIXTURES / "shop.sql").read_text(encoding="utf-8"))
    connection.close()
    database = open_database(path)
    yield database
    database.close()


@pytest.fixture(scope="session")
def schema(shop: Database) -> Schema:
    return shop.schema()
