"""Many statements from many threads, some of them attacks; and workers killed at random moments."""

import json
import os
import random
import signal
import sqlite3
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from critiql.tools.database.result import Limits, Result, Rows
from critiql.tools.database.sqlite import SqliteDatabase

pytestmark = pytest.mark.slow
HERE = Path(__file__).parent
QUERIES, ATTACKS, THREADS, KILLS = 10_000, 100, 8, 200
GROWTH_BYTES = 32 * 2**20
"""What the workers and this process may have grown by after half of the statements."""


@pytest.fixture
def database(tmp_path: Path) -> Iterator[SqliteDatabase]:
    path = tmp_path / "target.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((HERE / "sqlite_target.sql").read_text())
    database = SqliteDatabase(path)
    yield database
    database.close()


def _resident(pids: list[int]) -> int:
    """Resident bytes of this process and of those."""
    total = 0
    for pid in [os.getpid(), *pids]:
        with suppress(FileNotFoundError):
            total += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return total


def _jobs() -> list[tuple[str, int | None]]:
    """Statements with the number that must come back, or None for an attack."""
    rng = random.Random(7)
    lines = (HERE / "sqlite_statements.jsonl").read_text().splitlines()
    attacks = [
        case["sql"]
        for case in map(json.loads, lines)
        if case["expect"] == ["denied"] and "policy" not in case
    ]
    jobs: list[tuple[str, int | None]] = [
        (f"SELECT count(*) + {number} FROM orders WHERE id <= {number % 4}", min(number % 4, 3) + number)
        for number in range(QUERIES - ATTACKS)
    ]
    jobs += [(rng.choice(attacks), None) for _ in range(ATTACKS)]
    rng.shuffle(jobs)
    return jobs


def test_ten_thousand_statements_from_eight_threads(database: SqliteDatabase) -> None:
    jobs, wrong, answered = _jobs(), list[tuple[str, Result]](), [0] * THREADS
    marks: list[int] = []

    def work(thread: int) -> None:
        for place, (sql, expected) in enumerate(jobs[thread::THREADS]):
            result = database.run(sql)
            right = (
                not result.ok
                if expected is None
                else isinstance(result, Rows) and result.rows == ((expected,),)
            )
            if not right:
                wrong.append((sql, result))
            answered[thread] += 1
            if thread == 0 and place in (QUERIES // THREADS // 2, QUERIES // THREADS - 1):
                marks.append(_resident(database.pool.pids()))

    threads = [threading.Thread(target=work, args=(thread,)) for thread in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert sum(answered) == QUERIES
    assert marks[1] - marks[0] < GROWTH_BYTES


def test_the_median_overhead_is_at_most_half_a_millisecond(database: SqliteDatabase) -> None:
    sql = "SELECT * FROM orders WHERE id = 2"
    with closing(sqlite3.connect(database.url.removeprefix("sqlite:///"))) as plain:
        added = []
        for _ in range(1000):
            begun = time.perf_counter()
            plain.execute(sql).fetchall()
            between = time.perf_counter()
            assert database.run(sql).ok
            added.append((time.perf_counter() - between) - (between - begun))
    assert statistics.median(added) <= 0.0005


def test_after_every_kill_the_next_statement_works(database: SqliteDatabase) -> None:
    rng = random.Random(11)
    busy = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT max(x) FROM c"
    for number in range(KILLS):
        pids = database.pool.pids() or [0]
        killer = threading.Timer(rng.uniform(0, 0.02), _kill, [rng.choice(pids)])
        killer.start()
        if number % 2:
            database.run(busy, Limits(0.01))
        killer.join()
        result = database.run("SELECT count(*) FROM orders")
        assert isinstance(result, Rows), (number, result)
        assert result.rows == ((3,),)


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        if pid:
            os.kill(pid, signal.SIGKILL)
