"""What running a small query here costs over the engine's plain driver.

`python -m critiql.evals.benchmarks.sandbox_overhead [URL]` prints one JSON object with medians, 10th and
95th percentiles in milliseconds; the two are measured in turn, query by query. Other work on the machine
adds waits to the time on the wall and little to processor time, so both are given. The URL names the sample
database on any engine (`critiql.tools.database.sample.script` makes it there); without one it is the SQLite
file. `--policy` holds the statements to a deny-list; `--fresh` makes each one new, so that nothing is known
of it.
"""

import contextlib
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, NamedTuple

import typer

from critiql.tools.database.database import WorkerDatabase
from critiql.tools.database.engine import Database
from critiql.tools.database.guard.policy import AccessPolicy
from critiql.tools.database.open import open_database
from critiql.tools.database.result import Rows
from critiql.tools.database.sample.build import sample_database
from critiql.tools.database.server_url import ServerUrl, read_url

REPEATS = 2000
QUERIES = (
    "SELECT count(*) FROM customers",
    "SELECT title, price FROM albums WHERE album_id = 7",
    "SELECT g.name, count(*) FROM albums a JOIN genres g USING (genre_id) GROUP BY g.name",
)
POLICY = AccessPolicy(deny_tables=frozenset({"secrets"}), deny_columns=frozenset({"customers.email"}))
"""A list that names a column of a table which a third of the queries read."""
Fetch = Callable[[str], object]


def _sqlite(path: str) -> tuple[Fetch, str, Callable[[], object]]:
    import sqlite3

    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    return lambda sql: connection.execute(sql).fetchall(), sqlite3.sqlite_version, connection.close


def _duckdb(path: str) -> tuple[Fetch, str, Callable[[], object]]:
    import duckdb

    connection = duckdb.connect(path, read_only=True)
    return lambda sql: connection.execute(sql).fetchall(), duckdb.__version__, connection.close


def _postgres(url: ServerUrl) -> tuple[Fetch, str, Callable[[], object]]:
    import psycopg

    connection: Any = psycopg.connect(
        host=url.host,
        port=url.port,
        user=url.user,
        password=url.password,
        dbname=url.database,
        autocommit=True,
    )
    version = str(connection.info.server_version)
    return lambda sql: connection.execute(sql).fetchall(), version, connection.close


def _mysql(url: ServerUrl) -> tuple[Fetch, str, Callable[[], object]]:
    import pymysql

    connection: Any = pymysql.connect(
        host=url.host, port=url.port or 0, user=url.user, password=url.password or "", database=url.database
    )

    def fetch(sql: str) -> object:
        with connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall()

    return fetch, connection.get_server_info(), connection.close


def plain(url: str, dialect: str) -> tuple[Fetch, str, Callable[[], object]]:
    """The engine's own driver on the same database: how it fetches rows, its version, how it is closed."""
    if dialect in ("sqlite", "duckdb"):
        return (_sqlite if dialect == "sqlite" else _duckdb)(url.partition(":///")[2] or url)
    return (_postgres if dialect == "postgres" else _mysql)(read_url(url))


class Cost(NamedTuple):
    """Of one query, in milliseconds."""

    wall: float
    processor: float
    """Of this process and of those that work for it."""


def _cost(run: Callable[[], object], pids: list[int]) -> Cost:
    busy, started = _busy(pids), time.perf_counter()
    run()
    seconds = time.perf_counter() - started
    return Cost(seconds * 1000, (_busy(pids) - busy) * 1000)


def _busy(pids: list[int]) -> float:
    """Processor seconds of this process and of others, by their clocks (clock_getcpuclockid(3))."""
    total = time.process_time()
    for pid in pids:
        with contextlib.suppress(OSError):  # it has ended
            total += time.clock_gettime((~pid << 3) | 2)
    return total


def measure(
    url: str = "",
    repeats: int = REPEATS,
    policy: AccessPolicy | None = None,
    *,
    fresh: bool = False,
    servers: Callable[[], list[int]] = list,
) -> dict[str, Any]:
    """Milliseconds per query, plain and in the sandbox, on the sample database; Linux only.

    Args:
        url: The sample database on any engine.
        repeats: Queries.
        policy: What the sandbox holds them to.
        fresh: Whether no statement is asked twice.
        servers: Gives the processes of the server, whose processor time counts too.

    Raises:
        DatabaseError: the database cannot be opened.
        RuntimeError: a query failed in the sandbox.
    """
    named = url or os.fspath(sample_database())
    database = open_database(named, policy)
    fetch, version, close = plain(named, database.dialect)
    direct, sandboxed = list[Cost](), list[Cost]()
    with contextlib.closing(database), contextlib.ExitStack() as stack:
        stack.callback(close)
        for number in range(repeats):
            sql = QUERIES[number % len(QUERIES)]
            if not isinstance(database.run(sql), Rows):  # both have it warm; a fresh one differs from it
                msg = f"{sql} failed in the sandbox"
                raise RuntimeError(msg)
            sql = f"{sql} LIMIT {repeats + number}" if fresh else sql
            direct.append(_cost(partial(fetch, sql), servers()))
            sandboxed.append(_cost(partial(database.run, sql), [*workers_of(database), *servers()]))
    return {"engine": f"{database.dialect} {version}", **_summary(direct, sandboxed)}


def workers_of(database: Database) -> list[int]:
    """The processes that run a database's statements."""
    return list(database.pool.pids()) if isinstance(database, WorkerDatabase) else []


def _summary(direct: list[Cost], sandboxed: list[Cost]) -> dict[str, Any]:
    pairs = list(zip(sandboxed, direct, strict=True))
    return {
        "n": len(pairs),
        "plain_ms": _quantiles([one.wall for one in direct]),
        "sandbox_ms": _quantiles([one.wall for one in sandboxed]),
        "overhead_ms": _quantiles([one.wall - other.wall for one, other in pairs]),
        "processor_ms": _quantiles([one.processor - other.processor for one, other in pairs]),
        "python": sys.version.split()[0],
    }


def _quantiles(values: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(values, n=20)
    return {
        "p10": round(cuts[1], 4),
        "median": round(statistics.median(values), 4),
        "p95": round(cuts[-1], 4),
    }


def main(
    url: Annotated[str, typer.Argument(help="The sample database; by default the SQLite file.")] = "",
    repeats: Annotated[int, typer.Option(min=20, help="Queries.")] = REPEATS,
    policy: Annotated[bool, typer.Option("--policy", help="Hold them to a deny-list.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Ask no statement twice.")] = False,
) -> None:
    """Print the measurement."""
    typer.echo(json.dumps(measure(url, repeats, POLICY if policy else None, fresh=fresh)))


if __name__ == "__main__":
    typer.run(main)
