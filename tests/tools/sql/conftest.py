"""The library database of the SQL tools' tests, and its schema."""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from critiql.tools.database.guard.policy import AccessPolicy
from critiql.tools.database.sqlite.introspect import tables
from critiql.tools.database.structure import schema_of
from critiql.tools.schema.model import Schema
from critiql.tools.settings import settings

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


@pytest.fixture
def spider() -> Path:
    """The Spider folder of the benchmark data."""
    folder = settings().data
    if folder is None or not (folder / "spider" / "dev.json").is_file():
        pytest.skip("CRITIQL_DATA does not name a folder with Spider")
    return folder / "spider"


@pytest.fixture
def spider_sql(spider: Path) -> list[tuple[str, str]]:
    """Database name and gold query of every item of Spider train and dev."""
    files = ("dev.json", "train_spider.json", "train_others.json")
    items = [item for name in files for item in json.loads((spider / name).read_text(encoding="utf-8"))]
    return [(item["db_id"], item["query"]) for item in items]


@pytest.fixture
def benchmark_sql(spider: Path, spider_sql: list[tuple[str, str]]) -> list[str]:
    """Every query of Spider train and dev and of the development part of NL2SQL-Bugs."""
    bugs = spider.parent / "nl2sql_bugs" / "development.json"
    if not bugs.is_file():
        pytest.skip("CRITIQL_DATA does not hold nl2sql_bugs/development.json")
    return [sql for _, sql in spider_sql] + [
        item["sql"] for item in json.loads(bugs.read_text(encoding="utf-8"))
    ]
