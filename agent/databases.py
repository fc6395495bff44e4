"""The database of a run, and running a candidate on it."""

from hashlib import sha256
from typing import Any

from critiql.agent.context import Context
from critiql.agent.evidence import SHOWN_CELL, SHOWN_ROWS, Execution
from critiql.agent.state import State
from critiql.tools.database.engine import Database
from critiql.tools.database.guard.policy import AccessPolicy
from critiql.tools.database.open import get_database
from critiql.tools.database.result import ErrorKind, Failure, Limits, Result, Rows, Value
from critiql.tools.database.sample.build import sample_database
from critiql.tools.database.server_url import without_password
from critiql.tools.served import place_of, served


def database_of(state: State, context: Context) -> Database:
    """The database named by the input, else by the context, else the sample database.

    The state names a server without its password; the context, which no checkpoint holds, has the whole URL.

    Raises:
        DatabaseError: it cannot be opened.
    """
    named = state.get("database") or context.database or ("" if served() else str(sample_database()))
    same = named == without_password(context.database)
    return get_database(place_of(context.database if same else named), policy_of(context))


def policy_of(context: Context) -> AccessPolicy | None:
    """What a run may read; None where nothing is said about it."""
    if not (context.allow_tables or context.deny_tables or context.deny_columns):
        return None
    allowed = frozenset(context.allow_tables) or None
    return AccessPolicy(allowed, frozenset(context.deny_tables), frozenset(context.deny_columns))


def limits_of(context: Context) -> Limits:
    """The caps of one query."""
    return Limits(seconds=context.query_seconds, rows=context.query_rows)


def run_candidate(database: Database, sql: str, context: Context) -> Execution:
    """Run a candidate in the sandbox and keep what critics and people look at."""
    return summarise(database.run(sql, limits_of(context)))


def summarise(result: Result) -> Execution:
    """The part of a result that a candidate keeps."""
    if isinstance(result, Failure):
        return _failed(result.kind, result.message, result.name, result.seconds)
    return Execution(
        ok=True,
        kind=None,
        message=None,
        name=None,
        columns=list(result.columns),
        rows=[[shown(value) for value in row] for row in result.rows[:SHOWN_ROWS]],
        row_count=len(result.rows),
        truncated=result.truncated,
        rows_fingerprint=rows_fingerprint(result),
        null_columns=null_columns(result),
        seconds=result.seconds,
    )


def rows_fingerprint(result: Rows) -> str:
    """A digest that two results share when they hold the same rows, in any order."""
    lines = sorted(repr([_comparable(value) for value in row]) for row in result.rows)
    return sha256("\n".join([str(len(result.columns)), *lines]).encode()).hexdigest()[:16]


def null_columns(result: Rows) -> int:
    """Columns that hold nothing but NULL although there are rows."""
    return sum(all(value is None for value in column) for column in zip(*result.rows, strict=True))


def shown(value: Value) -> Any:
    """A cell as JSON can hold it, cut to what is shown."""
    if isinstance(value, bytes):
        return f"<{len(value)} bytes>"
    if isinstance(value, str) and len(value) > SHOWN_CELL:
        return value[: SHOWN_CELL - 1] + "…"
    return value


def _comparable(value: Value) -> Value:
    """Numbers that are equal compare equal: 1 and 1.0."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _failed(kind: ErrorKind, message: str, name: str | None, seconds: float) -> Execution:
    """The record of a query that gave no rows."""
    return Execution(
        ok=False,
        kind=kind,
        message=message,
        name=name,
        columns=[],
        rows=[],
        row_count=0,
        truncated=False,
        rows_fingerprint=None,
        null_columns=0,
        seconds=seconds,
    )
