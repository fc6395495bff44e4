"""One statement through a worker pool: the request, the reply as typed data."""

import time
from typing import Any, get_args

from critiql.tools.database.result import ErrorKind, Failure, Limits, Result, Rows
from critiql.tools.database.sandbox.pool import (
    WorkerBusyError,
    WorkerCancelledError,
    WorkerDiedError,
    WorkerPool,
    WorkerTimeoutError,
)
from critiql.tools.hiding import hide_secrets

SQL_CHARACTERS = 1_000_000
"""Longest statement that is sent to a worker."""
FRAME_FACTOR = 16
"""JSON bytes per counted byte at most: a number counts 8 and takes up to 25, a character takes up to six."""
FRAME_BASE = 4 * 2**20
KINDS = frozenset(get_args(ErrorKind))
CELLS = {type(None), bool, int, float, str, bytes}
"""Types a cell may have."""


def _failure(reply: dict[str, Any], seconds: float) -> Failure:
    kind: Any = str(reply["kind"])
    name = reply.get("name")
    return Failure(
        kind if kind in KINDS else "other",
        hide_secrets(str(reply.get("message", ""))),
        seconds,
        name if isinstance(name, str) else None,
    )


def _rows(reply: dict[str, Any], seconds: float) -> Result:
    """The rows of a reply. A worker that read hostile data may say anything; that is a failure."""
    columns, rows = reply.get("columns"), reply.get("rows")
    if not isinstance(columns, list) or not isinstance(rows, list) or not _is_table(rows, len(columns)):
        return Failure("worker_died", "the worker sent what is no result", seconds)
    types = reply.get("types")
    known = isinstance(types, list) and len(types) == len(columns)
    return Rows(
        tuple(map(str, columns)),
        tuple(map(str, types)) if known and types else ("",) * len(columns),
        tuple(map(tuple, rows)),
        bool(reply.get("truncated")),
        seconds,
    )


def _is_table(rows: list[Any], width: int) -> bool:
    """Whether these are rows of that many cells."""
    whole = all(type(row) is list and len(row) == width for row in rows)
    return whole and {type(value) for row in rows for value in row} <= CELLS


def ask_rows(pool: WorkerPool, sql: str, limits: Limits) -> Result:
    """Run one statement in a worker. Never raises for what the statement or the worker does."""
    if len(sql) > SQL_CHARACTERS:
        return Failure("too_large", f"the statement is longer than {SQL_CHARACTERS} characters", 0.0)
    caps = [limits.seconds, limits.rows, limits.total_bytes, limits.cell_bytes]
    largest = FRAME_BASE + FRAME_FACTOR * limits.total_bytes
    started = time.monotonic()
    try:
        reply = pool.ask({"op": "run", "sql": sql, "limits": caps}, limits.seconds, largest)
    except WorkerBusyError as error:
        return Failure("busy", str(error), time.monotonic() - started)
    except WorkerTimeoutError as error:
        return Failure("timeout", str(error), time.monotonic() - started)
    except WorkerCancelledError as error:
        return Failure("cancelled", str(error), time.monotonic() - started)
    except WorkerDiedError as error:
        return Failure("worker_died", str(error), time.monotonic() - started)
    seconds = time.monotonic() - started
    return _failure(reply, seconds) if "kind" in reply else _rows(reply, seconds)
