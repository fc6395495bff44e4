"""One statement through a worker pool: the request, the reply as typed data."""

import time
from typing import Any, get_args

from critiql.tools.database.result import ErrorKind, Failure, Limits, Result, Rows
from critiql.tools.database.worker import (
    WorkerCancelledError,
    WorkerDiedError,
    WorkerPool,
    WorkerTimeoutError,
)

SQL_CHARACTERS = 1_000_000
"""Longest statement that is sent to a worker."""
FRAME_FACTOR = 16
"""JSON bytes per counted byte at most: a number counts 8 and takes up to 25, a character takes up to six."""
FRAME_BASE = 4 * 2**20
KINDS = frozenset(get_args(ErrorKind))


def _failure(reply: dict[str, Any], seconds: float) -> Failure:
    kind: Any = reply["kind"]
    return Failure(
        kind if kind in KINDS else "other", str(reply.get("message", "")), seconds, reply.get("name")
    )


def _rows(reply: dict[str, Any], seconds: float) -> Rows:
    columns = tuple(map(str, reply["columns"]))
    types = tuple(map(str, reply.get("types") or ("",) * len(columns)))
    return Rows(columns, types, tuple(map(tuple, reply["rows"])), bool(reply["truncated"]), seconds)


def ask_rows(pool: WorkerPool, sql: str, limits: Limits) -> Result:
    """Run one statement in a worker. Never raises for what the statement or the worker does."""
    if len(sql) > SQL_CHARACTERS:
        return Failure("too_large", f"the statement is longer than {SQL_CHARACTERS} characters", 0.0)
    caps = [limits.seconds, limits.rows, limits.total_bytes, limits.cell_bytes]
    largest = FRAME_BASE + FRAME_FACTOR * limits.total_bytes
    started = time.monotonic()
    try:
        reply = pool.ask({"op": "run", "sql": sql, "limits": caps}, limits.seconds, largest)
    except WorkerTimeoutError as error:
        return Failure("timeout", str(error), time.monotonic() - started)
    except WorkerCancelledError as error:
        return Failure("cancelled", str(error), time.monotonic() - started)
    except WorkerDiedError as error:
        return Failure("worker_died", str(error), time.monotonic() - started)
    seconds = time.monotonic() - started
    return _failure(reply, seconds) if "kind" in reply else _rows(reply, seconds)
