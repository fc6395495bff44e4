"""The schema of a file is read anew when its tables or columns changed, and kept when only its rows did."""

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pytest

from critiql.tools.database import database as workers
from critiql.tools.database.duckdb.session import IDLE_SECONDS
from critiql.tools.database.open import open_database

pytestmark = pytest.mark.process

MAKE = "CREATE TABLE a (x INTEGER); CREATE TABLE b (y INTEGER); INSERT INTO a VALUES (1), (2)"
Change = Callable[[str], None]


def _changed_sqlite(path: Path, journal: str) -> Change:
    def change(script: str) -> None:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(f"PRAGMA journal_mode={journal}")
            connection.executescript(script)

    return change


def _changed_duckdb(path: Path) -> Change:
    def change(script: str) -> None:
        deadline = time.monotonic() + IDLE_SECONDS + 10.0
        while True:  # an idle worker gives the file free after a moment
            try:
                with duckdb.connect(str(path)) as connection:
                    connection.execute(script)
                return
            except duckdb.IOException:
                assert time.monotonic() < deadline, "the idle worker keeps the file"
                time.sleep(0.05)

    return change


@pytest.fixture(params=["sqlite", "sqlite-wal", "duckdb"])
def file(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Change]:
    path = tmp_path / request.param
    if request.param == "duckdb":
        return f"duckdb:///{path}", _changed_duckdb(path)
    return str(path), _changed_sqlite(path, "wal" if request.param.endswith("wal") else "delete")


def test_a_table_and_a_column_added_after_opening_are_seen(
    file: tuple[str, Change], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, change = file
    change(MAKE)
    monkeypatch.setattr(workers, "VERSION_SECONDS", 0.0)
    with closing(open_database(url)) as database:
        assert [table.name for table in database.schema().tables] == ["a", "b"]
        assert [table.row_count for table in database.schema().tables] == [2, 0]
        change("CREATE TABLE c (z INTEGER); INSERT INTO c VALUES (1)")
        schema = database.schema()
        assert [(table.name, table.row_count) for table in schema.tables][2:] == [("c", 1)]
        assert schema.samples["c"] == ((1,),)
        change("ALTER TABLE a ADD COLUMN w VARCHAR")
        assert [column.name for column in database.schema().tables[0].columns] == ["x", "w"]


def test_rows_alone_do_not_make_it_be_read_again(
    file: tuple[str, Change], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, change = file
    change(MAKE)
    monkeypatch.setattr(workers, "VERSION_SECONDS", 0.0)
    with closing(open_database(url)) as database:
        before = database.schema()
        change("INSERT INTO a VALUES (3)")
        assert database.schema() is before


def test_many_small_tables_are_counted_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = "".join(
        f"CREATE TABLE t{n} AS SELECT * FROM range({n});" for n in range(workers.COUNTED_TABLES + 5)
    )
    _changed_duckdb(tmp_path / "many")(script)
    asked: list[str] = []
    run = workers.WorkerDatabase.run

    def listening(self: Any, sql: str, *rest: Any) -> Any:
        asked.append(sql)
        return run(self, sql, *rest)

    monkeypatch.setattr(workers.WorkerDatabase, "run", listening)
    with closing(open_database(f"duckdb:///{tmp_path / 'many'}")) as database:
        counts = {table.name: table.row_count for table in database.schema().tables}
    assert counts == {f"t{n}": n for n in range(workers.COUNTED_TABLES + 5)}
    assert sum("count(*)" in sql for sql in asked) == 2
