"""How long a short statement waits beside threads that never leave a worker idle.

`python -m critiql.evals.benchmarks.pool_fairness` prints one JSON object with milliseconds: the short
statement's waits, and what one of the others takes. They run on the sample database, four at once.
"""

import json
import statistics
import threading
import time
from typing import Annotated, Any

import typer

from critiql.tools.database.engine import Database
from critiql.tools.database.open import open_database
from critiql.tools.database.result import Limits
from critiql.tools.database.sample.build import sample_database

LONG = """
WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < {steps}) SELECT max(x) FROM c
"""
PATIENT = Limits(60.0)


def measure(statements: int = 200, threads: int = 8, steps: int = 100_000) -> dict[str, Any]:
    """Ask short statements beside busy threads, one after another."""
    database = open_database(sample_database())
    others: list[float] = []
    over = threading.Event()

    def work() -> None:
        while not over.is_set():
            others.append(_milliseconds(database, LONG.format(steps=steps)))

    busy = [threading.Thread(target=work) for _ in range(threads)]
    try:
        for thread in busy:
            thread.start()
        time.sleep(0.5)
        short = [_milliseconds(database, "SELECT 1") for _ in range(statements)]
    finally:
        over.set()
        for thread in busy:
            thread.join()
        database.close()
    return {"short_ms": _spread(short), "others_ms": _spread(others), "threads": threads}


def _milliseconds(database: Database, sql: str) -> float:
    started = time.perf_counter()
    result = database.run(sql, PATIENT)
    assert result.ok, result
    return 1000 * (time.perf_counter() - started)


def _spread(found: list[float]) -> dict[str, float]:
    """Number, median, 99th percentile and largest."""
    ordered = sorted(found)
    return {
        "n": len(ordered),
        "median": round(statistics.median(ordered), 1),
        "p99": round(ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))], 1),
        "largest": round(ordered[-1], 1),
    }


def main(
    statements: Annotated[int, typer.Option(min=1)] = 200,
    threads: Annotated[int, typer.Option(min=1)] = 8,
    steps: Annotated[int, typer.Option(min=1, help="Rows that a statement of the others counts.")] = 100_000,
) -> None:
    """Print the measurement."""
    typer.echo(json.dumps(measure(statements, threads, steps)))


if __name__ == "__main__":
    typer.run(main)
