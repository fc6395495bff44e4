"""Every gold query of Spider gives the same rows in the sandbox as outside, and every schema can be read."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import groupby
from pathlib import Path

import pytest

from critiql.tools.database.open import open_database
from critiql.tools.database.result import Limits, Rows
from critiql.tools.schema.ddl import ddl
from critiql.tools.schema.mschema import mschema
from critiql.tools.settings import Settings

pytestmark = [pytest.mark.data, pytest.mark.slow]
WIDE = Limits(seconds=30, rows=10**6, total_bytes=10**8, cell_bytes=10**7)
EXECUTABLE = 9594


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
