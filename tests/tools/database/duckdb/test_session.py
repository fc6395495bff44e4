"""A DuckDB file beside other programs: not kept from writers, never answered from after it was replaced."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from critiql.tools.database.duckdb.session import IDLE_SECONDS, ROW_GROUP, THREADS
from critiql.tools.database.engine import Database, DatabaseError
from critiql.tools.database.open import open_database
from critiql.tools.database.result import Failure, Limits, Rows

pytestmark = pytest.mark.process

COUNT = "SELECT count(*) FROM t"


def _write(path: Path, rows: int) -> None:
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS t (a INTEGER)")
        connection.execute(f"INSERT INTO t SELECT * FROM range({rows})")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    _write(tmp_path / "a.duckdb", 1)
    return tmp_path / "a.duckdb"


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    opened = open_database(f"duckdb:///{path}")
    yield opened
    opened.close()


def _count(database: Database) -> object:
    result = database.run(COUNT, Limits(seconds=10.0))
    assert isinstance(result, Rows), result
    return result.rows[0][0]


def test_an_idle_worker_lets_a_writer_in_and_reads_what_it_wrote(path: Path, database: Database) -> None:
    assert _count(database) == 1
    deadline = time.monotonic() + IDLE_SECONDS + 10.0
    while True:
        try:
            _write(path, 2)
            break
        except duckdb.IOException:
            assert time.monotonic() < deadline, "the idle worker keeps the file"
            time.sleep(0.05)
    assert _count(database) == 3


def test_a_replaced_file_is_read_anew_and_a_deleted_one_is_missed(path: Path, database: Database) -> None:
    assert _count(database) == 1
    _write(path.with_name("b.duckdb"), 5)
    path.with_name("b.duckdb").replace(path)
    assert _count(database) == 5
    path.unlink()
    gone = database.run(COUNT)
    assert isinstance(gone, Failure)
    assert gone.kind == "connection"


def test_a_writer_at_work_is_said_to_hold_the_file(path: Path, database: Database) -> None:
    time.sleep(IDLE_SECONDS * 2)
    with duckdb.connect(str(path)) as writer:
        writer.execute("INSERT INTO t VALUES (7)")
        held = database.run(COUNT, Limits(seconds=0.3))
        assert isinstance(held, Failure)
        assert held.kind == "locked"


def test_times_with_a_zone_are_cells(database: Database) -> None:
    sql = "SELECT TIMESTAMPTZ '2024-03-31 01:30:00+00', '12:30:00+02'::TIMETZ"
    result = database.run(sql)
    assert isinstance(result, Rows), result
    assert result.rows == (("2024-03-31 01:30:00+00:00", "12:30:00+02:00"),)


def test_a_pivot_leaves_nothing_to_the_next_statement(database: Database) -> None:
    pivot = database.run("PIVOT t ON a USING count(*)", Limits(seconds=10.0))
    assert isinstance(pivot, Rows), pivot
    left = database.run("SELECT count(*) FROM duckdb_types() WHERE type_name LIKE '%pivot%'", Limits(10.0))
    assert isinstance(left, Rows), left
    assert left.rows == ((0,),)


def test_a_pipe_is_no_database(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for url in (f"duckdb:///{tmp_path}/pipe", tmp_path / "pipe"):
        with pytest.raises(DatabaseError, match="pipe"):
            open_database(url)


def test_a_second_thread_is_there_for_large_tables_only(tmp_path: Path) -> None:
    counts = []
    for rows in (ROW_GROUP, ROW_GROUP * 2):
        _write(tmp_path / f"{rows}.duckdb", rows)
        opened = open_database(f"duckdb:///{tmp_path}/{rows}.duckdb")
        assert _count(opened) == rows
        (pid,) = opened.pool.pids()
        counts.append(len(list(Path(f"/proc/{pid}/task").iterdir())))
        opened.close()
    assert counts[1] - counts[0] == THREADS - 1
    assert counts[0] < 8  # the engine's eight threads for files on a network are not started
