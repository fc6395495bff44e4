"""Many statements from many threads, some of them attacks; and workers killed at random moments."""

import json
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import watch
from running import Server
from targets import DIALECTS, attacked_duckdb, attacked_server, attacked_sqlite, sample_duckdb, sample_server

from critiql.evals.benchmarks.sandbox_overhead import POLICY, measure
from critiql.tools.database.database import WorkerDatabase
from critiql.tools.database.open import open_database
from critiql.tools.database.result import Limits, Result, Rows
from critiql.tools.database.sample.build import sample_database

pytestmark = pytest.mark.slow
FIXTURES = Path(__file__).parents[1] / "fixtures" / "attacks"
QUERIES, ATTACKS, THREADS, KILLS, STRAYS, RANDOM = 10_000, 100, 8, 200, 10, 5000
MEASURED_AGAIN = 4
"""Other work on the machine only adds to an overhead: one above the limit is measured again."""
MEASURED = 600
"""Queries for one measurement."""
LIMIT_MS = {"sqlite": 0.7, "duckdb": 0.7, "postgres": 1.0, "mariadb": 1.0}
"""Median overhead of a small query; on a server its limits, transaction and rollback are round trips too."""
NEW_LIMIT_MS = {"sqlite": 0.7, "duckdb": 1.5}
"""The same of a new statement under a policy. DuckDB is asked for its tree, and of a table with a denied
column for its plan too. Two such questions cost as much as a small query: 1.3 ms beside a load of 11."""
GROWTH_BYTES = 32 * 2**20
"""What this process, the workers and the server may have grown by after half of the statements."""
ENDLESS = {
    "sqlite": "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT max(x) FROM c",
    "duckdb": "SELECT sum(sqrt(a.n * b.n * c.n * d.n)) FROM numbers a, numbers b, numbers c, numbers d",
    "postgres": "SELECT sum(sqrt(a.n * b.n * c.n * d.n)) FROM numbers a, numbers b, numbers c, numbers d",
    "mysql": "SELECT sum(sqrt(a.n * b.n * c.n * d.n)) FROM numbers a, numbers b, numbers c, numbers d",
}
WORDS = r"""
select from where group by order limit offset union all distinct join left on using with recursive as case
when then end null not in exists between like cast over partition insert update delete drop alter set values
orders customers secrets numbers public_customers id name card amount n c x count sum max ( ) ( ) , , . ; *
= < + - / % || ' " ` -- /* */ $$ 0 1 'a' 1e9 0x1f ? :a @b {i} \
"""
STRAY_SECONDS = {"postgres": 1.0, "mariadb": 3.0}
"""How long a statement whose worker was killed may live on: PostgreSQL looks for its client every 100 ms,
MariaDB ends it at its time limit, here two seconds."""


SERVERS = [pytest.param(kind, marks=pytest.mark.server) for kind in DIALECTS]
ENGINES = ["sqlite", "duckdb", *SERVERS]


class Soaked(NamedTuple):
    """A database under load."""

    engine: str
    database: WorkerDatabase
    server: Server | None


@pytest.fixture(params=ENGINES)
def soaked(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Soaked]:
    kind, server = request.param, None
    if kind in DIALECTS:
        server = attacked_server(kind)
        url: str | Path = server.url("attacked")
    else:
        url = attacked_sqlite(tmp_path) if kind == "sqlite" else f"duckdb:///{attacked_duckdb(tmp_path)}"
    database = open_database(url)
    yield Soaked(DIALECTS.get(kind, kind), database, server)
    database.close()


def _resident(soaked: Soaked) -> int:
    """Resident bytes of this process, the workers, and the server."""
    total = watch.memory(soaked.server) if soaked.server else 0
    for pid in [os.getpid(), *soaked.database.pool.pids()]:
        with suppress(FileNotFoundError):
            total += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return total


def _jobs(engine: str) -> list[tuple[str, int | None]]:
    """Statements with the number that must come back, or None for an attack."""
    rng = random.Random(7)
    lines = (FIXTURES / f"{engine}_statements.jsonl").read_text().splitlines()
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


def _is_right(result: Result, expected: int | None) -> bool:
    if expected is None:
        return not result.ok and "CANARY" not in repr(result)
    return isinstance(result, Rows) and result.rows == ((expected,),)


def test_ten_thousand_statements_from_eight_threads(soaked: Soaked, note: Callable[[str], None]) -> None:
    jobs, wrong, answered = _jobs(soaked.engine), list[tuple[str, Result]](), [0] * THREADS
    marks: list[int] = []
    started = time.monotonic()

    def work(thread: int) -> None:
        for place, (sql, expected) in enumerate(jobs[thread::THREADS]):
            result = soaked.database.run(sql)
            if not _is_right(result, expected):
                wrong.append((sql, result))
            answered[thread] += 1
            if thread == 0 and place in (QUERIES // THREADS // 2, QUERIES // THREADS - 1):
                marks.append(_resident(soaked))

    threads = [threading.Thread(target=work, args=(thread,)) for thread in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.monotonic() - started
    grown = (marks[1] - marks[0]) / 2**20
    note(f"{soaked.engine}: {QUERIES} statements in {seconds:.0f} s, {len(wrong)} wrong, {grown:+.1f} MB")
    assert not wrong
    assert sum(answered) == QUERIES
    assert marks[1] - marks[0] < GROWTH_BYTES
    _assert_connections(soaked)


def _assert_connections(soaked: Soaked) -> None:
    """The server has no connection of a worker that is gone."""
    if soaked.server:
        deadline = time.monotonic() + 10
        while len(watch.connections(soaked.server)) > len(soaked.database.pool.pids()):
            assert time.monotonic() < deadline, "connections are left on the server"
            time.sleep(0.1)


@pytest.mark.enable_socket
@pytest.mark.parametrize("kind", ENGINES)
def test_the_median_overhead_is_small(kind: str, tmp_path: Path, note: Callable[[str], None]) -> None:
    servers = partial(watch.processes, sample_server(kind)) if kind in DIALECTS else list[int]
    found = _overhead(
        partial(measure, _sample_url(kind, tmp_path), MEASURED, servers=servers), LIMIT_MS[kind]
    )
    note(f"{kind}: overhead {found['overhead_ms']} ms over {found['plain_ms']}, {found['processor_ms']} busy")
    assert _median(found) <= LIMIT_MS[kind]


@pytest.mark.parametrize("kind", ["sqlite", "duckdb"])
def test_so_is_that_of_a_new_statement_under_a_policy(
    kind: str, tmp_path: Path, note: Callable[[str], None]
) -> None:
    limit = NEW_LIMIT_MS[kind]
    found = _overhead(partial(measure, _sample_url(kind, tmp_path), MEASURED, POLICY, fresh=True), limit)
    note(f"{kind}: new statements under a policy {found['overhead_ms']} ms, {found['processor_ms']} busy")
    assert _median(found) <= limit


def _sample_url(kind: str, folder: Path) -> str:
    if kind in DIALECTS:
        return sample_server(kind).url("music_shop")
    return str(sample_database()) if kind == "sqlite" else f"duckdb:///{sample_duckdb(folder)}"


def _overhead(ask: Callable[[], dict[str, Any]], limit: float) -> dict[str, Any]:
    """The measurement, made again while other work on the machine may have added to it."""
    found = ask()
    for _ in range(MEASURED_AGAIN):
        if _median(found) > limit:
            found = ask()
    return found


def _median(found: dict[str, Any]) -> float:
    """Milliseconds on the wall; where others hold the cores, of processor time, free of waits."""
    return min(found[name]["median"] for name in ("overhead_ms", "processor_ms"))


def test_after_every_kill_the_next_statement_works(soaked: Soaked, note: Callable[[str], None]) -> None:
    rng, pool = random.Random(11), soaked.database.pool
    for number in range(KILLS):
        pids = pool.pids() or [0]
        killer = threading.Timer(rng.uniform(0, 0.02), _kill, [rng.choice(pids)])
        killer.start()
        if number % 2:
            soaked.database.run(ENDLESS[soaked.engine], Limits(0.01))
        killer.join()
        result = soaked.database.run("SELECT count(*) FROM orders")
        assert isinstance(result, Rows), (number, result)
        assert result.rows == ((3,),)
    note(f"{soaked.engine}: {KILLS} workers killed, the next statement worked each time")
    _assert_connections(soaked)


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        if pid:
            os.kill(pid, signal.SIGKILL)


def test_random_words_and_characters(soaked: Soaked, note: Callable[[str], None]) -> None:
    rng, words, kinds = random.Random(3), WORDS.split(), Counter[str]()
    for number in range(RANDOM):
        if number % 2:
            sql = "SELECT " + " ".join(rng.choices(words, k=rng.randint(1, 12)))
        else:
            sql = "".join(chr(rng.randrange(1, 0x3000)) for _ in range(rng.randint(1, 30)))
        result = soaked.database.run(sql, Limits(1.0))
        kinds.update(["rows" if result.ok else result.kind])
    note(f"{soaked.engine}: {RANDOM} random statements: {dict(kinds.most_common())}")
    assert kinds["syntax"] > RANDOM / 5  # much of the other is denied for what it might mean
    assert kinds["worker_died"] == 0
    result = soaked.database.run("SELECT count(*) FROM orders")
    assert isinstance(result, Rows)
    assert result.rows == ((3,),)


@pytest.mark.parametrize("soaked", SERVERS, indirect=True)
def test_a_killed_worker_leaves_no_statement_on_the_server(
    soaked: Soaked, note: Callable[[str], None]
) -> None:
    assert soaked.server
    lived = []
    for _ in range(STRAYS):
        before = watch.busy(soaked.server)
        asking = threading.Thread(
            target=soaked.database.run, args=(ENDLESS[soaked.engine], Limits(seconds=2.0))
        )
        asking.start()
        deadline = time.monotonic() + 10
        while not watch.busy(soaked.server) - before and time.monotonic() < deadline:
            time.sleep(0.02)
        soaked.database.close()  # kills the worker; another is not started for this statement
        lived.append(watch.seconds_until_idle(soaked.server, 10.0, before))
        asking.join()
    note(f"{soaked.engine}: a statement outlived its killed worker by {max(lived):.2f} s at most")
    assert max(lived) <= STRAY_SECONDS[soaked.server.kind]
    _assert_connections(soaked)
