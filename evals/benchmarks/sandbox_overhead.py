"""What the SQLite sandbox costs per small query over plain sqlite3.

`python -m critiql.evals.benchmarks.sandbox_overhead` prints one JSON object with medians and 95th percentiles
in milliseconds; the two are measured in turn, query by query.
"""

import contextlib
import json
import sqlite3
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from critiql.tools.database.open import open_database
from critiql.tools.database.result import Rows
from critiql.tools.database.sample import sample_database

REPEATS = 2000
QUERIES = (
    "SELECT count(*) FROM customers",
    "SELECT title, price FROM albums WHERE album_id = 7",
    "SELECT g.name, count(*) FROM albums a JOIN genres g USING (genre_id) GROUP BY g.name",
)


def _milliseconds(run: Callable[[], object]) -> float:
    started = time.perf_counter()
    run()
    return (time.perf_counter() - started) * 1000


def measure(repeats: int = REPEATS) -> dict[str, Any]:
    """Milliseconds per query, plain and in the sandbox, on the sample database.

    Raises:
        RuntimeError: a query failed in the sandbox.
    """
    path = sample_database()
    database = open_database(path)
    plain, sandboxed = [], []
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        for number in range(repeats):
            sql = QUERIES[number % len(QUERIES)]
            if not isinstance(database.run(sql), Rows):
                msg = f"{sql} failed in the sandbox"
                raise RuntimeError(msg)
            plain.append(_milliseconds(lambda sql=sql: connection.execute(sql).fetchall()))  # type: ignore[misc]
            sandboxed.append(_milliseconds(lambda sql=sql: database.run(sql)))  # type: ignore[misc]
    database.close()
    return _summary(plain, sandboxed)


def _summary(plain: list[float], sandboxed: list[float]) -> dict[str, Any]:
    added = [one - other for one, other in zip(sandboxed, plain, strict=True)]
    return {
        "n": len(added),
        "plain_ms": _quantiles(plain),
        "sandbox_ms": _quantiles(sandboxed),
        "overhead_ms": _quantiles(added),
        "sqlite": sqlite3.sqlite_version,
        "python": sys.version.split()[0],
    }


def _quantiles(values: list[float]) -> dict[str, float]:
    last = statistics.quantiles(values, n=20)[-1]
    return {"median": round(statistics.median(values), 4), "p95": round(last, 4)}


def main() -> None:
    """Print the measurement."""
    sys.stdout.write(json.dumps(measure()) + "\n")


if __name__ == "__main__":
    main()
