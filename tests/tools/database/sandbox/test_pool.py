"""The worker process: limits, death, cancellation, several at once."""

import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from critiql.tools.database.result import Failure, Limits, Result, Rows
from critiql.tools.database.sandbox.pool import Worker, WorkerDiedError, WorkerPool, WorkerSpec
from critiql.tools.database.sandbox.statement import ask_rows
from critiql.tools.database.sqlite.open import SqliteDatabase

pytestmark = pytest.mark.process

ENDLESS = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT max(x) FROM c"


@pytest.fixture
def database(opened: Callable[..., SqliteDatabase]) -> SqliteDatabase:
    found = opened()
    assert found.run("SELECT 1").ok
    return found


@pytest.fixture
def deadlines(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """By when each worker that is asked has to answer; a busy machine is late for them, and moves none."""
    seen: list[float] = []
    ask = Worker.ask

    def noted(worker: Worker, request: dict[str, Any], deadline: float, largest: int) -> dict[str, Any]:
        seen.append(deadline)
        return ask(worker, request, deadline, largest)

    monkeypatch.setattr(Worker, "ask", noted)
    return seen


def test_the_worker_is_limited_and_bare(database: SqliteDatabase) -> None:
    pid = database.pool.pids()[0]
    limits = {
        name: resource.prlimit(pid, getattr(resource, f"RLIMIT_{name}"))
        for name in ("AS", "FSIZE", "NOFILE", "CORE")
    }
    assert limits == {"AS": (512 * 2**20,) * 2, "FSIZE": (0, 0), "NOFILE": (32, 32), "CORE": (0, 0)}
    assert resource.prlimit(pid, resource.RLIMIT_CPU)[0] < 60
    environment = Path(f"/proc/{pid}/environ").read_bytes()
    assert environment == b"LC_ALL=C.UTF-8\0MALLOC_ARENA_MAX=1\0"
    assert Path(f"/proc/{pid}/cwd").readlink() == Path("/")


def test_one_worker_serves_many_statements(database: SqliteDatabase) -> None:
    before = database.pool.pids()
    assert all(database.run("SELECT * FROM a").ok for _ in range(20))
    assert database.pool.pids() == before


def test_a_killed_worker_is_replaced(database: SqliteDatabase) -> None:
    for _ in range(5):
        os.kill(database.pool.pids()[0], signal.SIGKILL)
        assert database.run("SELECT 1").ok


def test_a_worker_killed_in_a_statement_is_asked_once_more(database: SqliteDatabase) -> None:
    killer = threading.Timer(0.1, lambda: os.kill(database.pool.pids()[0], signal.SIGKILL))
    killer.start()
    result = database.run(ENDLESS, Limits(0.4))
    killer.join()
    assert isinstance(result, Failure)
    assert result.kind == "timeout"


def test_a_worker_killed_in_a_statement_leaves_only_the_rest_of_the_limit(
    database: SqliteDatabase, deadlines: list[float]
) -> None:
    killer = threading.Timer(0.3, lambda: os.kill(database.pool.pids()[0], signal.SIGKILL))
    killer.start()
    result = database.run(ENDLESS, Limits(1.0))
    killer.join()
    assert isinstance(result, Failure)
    assert result.kind == "timeout"
    first, second = deadlines
    assert first == second


def keep_busy(database: SqliteDatabase, seconds: float, statements: int) -> list[threading.Thread]:
    """Threads that each run one endless statement, once all of them run or wait."""
    busy = [threading.Thread(target=database.run, args=(ENDLESS, Limits(seconds))) for _ in range(statements)]
    for thread in busy:
        thread.start()
    time.sleep(0.3)
    return busy


def test_waiting_for_a_worker_counts_against_the_limit(database: SqliteDatabase) -> None:
    busy = keep_busy(database, 30, 8)
    started = time.monotonic()
    result = database.run("SELECT 1", Limits(0.5))
    took = time.monotonic() - started
    while any(thread.is_alive() for thread in busy):
        database.close()  # those that waited get the places of those that were ended
        time.sleep(0.02)
    assert isinstance(result, Failure)
    assert result.kind == "busy"
    assert "busy" in result.message
    assert "0.5 s" in result.message
    assert 0.5 <= took < 1
    assert database.run("SELECT 1").ok


def test_a_statement_that_waited_gets_what_is_left_of_its_time(
    database: SqliteDatabase, deadlines: list[float]
) -> None:
    busy = keep_busy(database, 1.0, 4)
    started = time.monotonic()
    result = database.run(ENDLESS, Limits(1.2))
    assert isinstance(result, Failure)
    assert result.kind == "timeout"
    assert deadlines[-1] - started < 1.6
    for thread in busy:
        thread.join()


def test_a_short_statement_is_served_in_its_turn(database: SqliteDatabase) -> None:
    """Eight threads never leave a worker idle; who asked first still comes first."""
    over = threading.Event()
    some = ENDLESS.replace("FROM c)", "FROM c WHERE x < 100000)")

    def work() -> None:
        while not over.is_set():
            assert database.run(some, Limits(60)).ok

    busy = [threading.Thread(target=work) for _ in range(8)]
    for thread in busy:
        thread.start()
    results = [database.run("SELECT 1", Limits(10)) for _ in range(10)]
    over.set()
    for thread in busy:
        thread.join()
    assert all(result.ok for result in results)


PARENT = """
import os, sys, threading, time
from critiql.tools.database.open import open_database
from critiql.tools.database.result import Limits
database = open_database(sys.argv[1])
threading.Thread(target=database.run, args=(sys.argv[2], Limits(60.0)), daemon=True).start()
database.run("SELECT 1")
if sys.argv[3] == "with a fork" and os.fork() == 0:
    os.close(1)
    time.sleep(20)
    os._exit(0)
time.sleep(0.2)
print(os.getpid(), *database.pool.pids(), flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("how", ["alone", "with a fork"])
def test_workers_end_with_a_parent_that_was_killed(how: str, build: Callable[..., Path]) -> None:
    """Also a busy one, and also while a fork of the parent holds the other end of its pipe."""
    command = [sys.executable, "-c", PARENT, str(build()), ENDLESS, how]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as parent:
        assert parent.stdout is not None
        own, *pids = map(int, parent.stdout.readline().split())
        assert len(pids) == 2
        os.kill(own, signal.SIGKILL)
        deadline = time.monotonic() + 1
        while any(map(runs, pids)) and time.monotonic() < deadline:
            time.sleep(0.02)
        left = [pid for pid in pids if runs(pid)]
        if how == "with a fork":
            os.killpg(own, signal.SIGKILL)
        for pid in left:
            os.kill(pid, signal.SIGKILL)
    assert not left


def runs(pid: int) -> bool:
    """Whether there is such a process, and it is not merely waiting to be reaped."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_worker_outlives_the_thread_that_started_it(opened: Callable[..., SqliteDatabase]) -> None:
    database = opened()
    database.close()
    thread = threading.Thread(target=database.run, args=("SELECT 1",))
    thread.start()
    thread.join()
    before = database.pool.pids()
    time.sleep(0.1)
    assert database.run("SELECT 1").ok
    assert database.pool.pids() == before


def test_a_crash_is_said_and_the_next_statement_works(database: SqliteDatabase) -> None:
    killer = threading.Timer(0.1, lambda: os.kill(database.pool.pids()[0], signal.SIGSEGV))
    killer.start()
    result = database.run(ENDLESS, Limits(2))
    killer.join()
    assert isinstance(result, Failure)
    assert result.kind == "worker_died"
    assert database.run("SELECT 1").ok


def test_a_worker_that_does_not_answer_is_killed_in_time(database: SqliteDatabase) -> None:
    os.kill(database.pool.pids()[0], signal.SIGSTOP)
    started = time.monotonic()
    result = database.run("SELECT 1", Limits(0.2))
    assert isinstance(result, Failure)
    assert result.kind == "timeout"
    assert time.monotonic() - started < 0.5
    assert database.run("SELECT 1").ok


def test_an_answer_does_not_wait_for_the_dead_and_no_zombie_stays(
    database: SqliteDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A large heap takes the kernel a while; here the wait for its end takes a second."""
    reap = subprocess.Popen.wait

    def slowly(process: "subprocess.Popen[bytes]", timeout: float | None = None) -> int:
        time.sleep(1)
        return reap(process, timeout)

    monkeypatch.setattr(subprocess.Popen, "wait", slowly)
    pid = database.pool.pids()[0]
    os.kill(pid, signal.SIGSTOP)
    started = time.monotonic()
    assert not database.run("SELECT 1", Limits(0.2)).ok
    assert time.monotonic() - started < 0.6
    assert not database.pool.pids()
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{pid}").exists()


def test_closing_cancels_what_runs(database: SqliteDatabase) -> None:
    closer = threading.Timer(0.1, database.close)
    closer.start()
    started = time.monotonic()
    result = database.run(ENDLESS, Limits(5))
    closer.join()
    assert isinstance(result, Failure)
    assert result.kind == "cancelled"
    assert time.monotonic() - started < 1
    assert database.run("SELECT 1").ok


def test_statements_run_side_by_side(database: SqliteDatabase) -> None:
    results: list[Result] = []
    slow = threading.Thread(target=lambda: results.append(database.run(ENDLESS, Limits(30.0))))
    slow.start()
    time.sleep(0.1)
    assert database.run("SELECT 1").ok
    assert slow.is_alive()
    database.close()
    slow.join()
    assert not results[0].ok


def test_answers_are_not_mixed_up_between_threads(database: SqliteDatabase) -> None:
    wrong: list[Result] = []

    def ask(number: int) -> None:
        for i in range(50):
            result = database.run(f"SELECT {number}, {i}")
            if not isinstance(result, Rows) or result.rows != ((number, i),):
                wrong.append(result)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert len(database.pool.pids()) <= 4


@pytest.fixture
def broken() -> Iterator[WorkerPool]:
    pool = WorkerPool(WorkerSpec("critiql.tools.database.no_such_session", {}))
    yield pool
    pool.close()


def test_a_worker_that_cannot_start_is_a_failure(broken: WorkerPool) -> None:
    with pytest.raises(WorkerDiedError):
        broken.ask({"op": "run"}, 1, 1000)
    result = ask_rows(broken, "SELECT 1", Limits())
    assert isinstance(result, Failure)
    assert result.kind == "worker_died"


def test_a_reply_that_is_too_large_is_refused(database: SqliteDatabase) -> None:
    request = {"op": "run", "sql": "SELECT printf('%5000c', 'x')", "limits": [1, 10, 10_000, 10_000]}
    with pytest.raises(WorkerDiedError, match="wants to send"):
        database.pool.ask(request, 1, 1000)
    assert database.run("SELECT 1").ok


def test_no_process_is_left(opened: Callable[..., SqliteDatabase]) -> None:
    database = opened()
    pids = database.pool.pids()
    database.close()
    assert pids
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


def test_a_fork_starts_its_own_worker_and_leaves_ours(database: SqliteDatabase) -> None:
    before = database.pool.pids()
    child = os.fork()
    if child == 0:
        result = database.run("SELECT 2")
        os._exit(0 if isinstance(result, Rows) and result.rows == ((2,),) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert database.run("SELECT 1").ok
    assert database.pool.pids() == before
