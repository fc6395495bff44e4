"""The worker's side of PostgreSQL: one declared SELECT in a read-only transaction at a time."""

import contextlib
import time
from collections.abc import Generator, Iterable, Iterator
from typing import Any

import psycopg
from psycopg import pq
from psycopg.errors import error_from_result
from psycopg.types.string import TextLoader

from critiql.tools.database.guard.access import check_access
from critiql.tools.database.guard.policy import AccessPolicy
from critiql.tools.database.guard.single_select import Refusal, one_select
from critiql.tools.database.guard.tokens import Token, called
from critiql.tools.database.postgres import introspect
from critiql.tools.database.postgres.errors import classify, explain_connection
from critiql.tools.database.postgres.guard import Names, forbidden_function, forbidden_relation
from critiql.tools.database.postgres.role import role_trouble
from critiql.tools.database.sandbox.cells import cell
from critiql.tools.database.sandbox.clip import clip_rows

SETTINGS = (
    "SET standard_conforming_strings = on; SET default_transaction_read_only = on; "
    "SET max_parallel_workers_per_gather = 0; SET work_mem = '16MB'; SET DateStyle = 'ISO'; "
    "SET bytea_output = 'hex'"
)
"""Of the session; none of them is the boundary, since a statement that could change them does not run."""
SUPERUSER_SETTINGS = "SET temp_file_limit = '256MB'"
CHECK_CLIENT = "SET client_connection_check_interval = '100ms'"
"""From PostgreSQL 14: the server ends a statement whose worker was killed."""
AS_TEXT = ("date", "time", "timetz", "timestamp", "timestamptz", "interval", "json", "jsonb", "uuid")
"""Types that arrive as the server prints them: Python's have no infinity and no years before 1."""
CONNECT_SECONDS = 5
CURSOR = "critiql_cursor"


class ConnectionTroubleError(Exception):
    """The server cannot be used; the sentence says why and what to do."""


class Session:
    """Answers requests for one database; connects on demand, and again after a connection was lost."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._parameters: dict[str, Any] = options["parameters"]
        self._may_be_superuser: bool = options["allow_superuser"]
        lists = options["policy"]
        allow = lists["allow_tables"]
        self._policy = AccessPolicy(
            None if allow is None else frozenset(allow),
            frozenset(lists["deny_tables"]),
            frozenset(lists["deny_columns"]),
        )
        self._connection: psycopg.Connection[Any] | None = None
        self._names = Names()
        self._harmless: set[str] = set()
        """Called names the server was asked about already."""
        with contextlib.suppress(ConnectionTroubleError, psycopg.Error):
            self._ready()  # connecting belongs to the start, not to the first statement's time

    def __call__(self, request: dict[str, Any]) -> dict[str, Any]:
        """The reply to one request."""
        try:
            if request["op"] == "introspect":
                return {"tables": introspect.tables(self._ready())}
            return self._run(request["sql"], *request["limits"])
        except ConnectionTroubleError as error:
            return {"kind": "connection", "message": str(error)}
        except psycopg.Error as error:
            return self._reply_of(error)

    def _reply_of(self, error: psycopg.Error) -> dict[str, Any]:
        message = error.diag.message_primary or str(error).strip() or type(error).__name__
        kind, name = classify(error.sqlstate, message)
        if "out of memory" in message and error.sqlstate is None:
            kind, message = "memory", "the result has a row that needs more memory than it may have"
        elif self._connection is None or self._connection.closed:
            kind, message = "connection", f"the connection to the server was lost: {message}"
        elif kind == "timeout":
            message = "the statement was stopped at its time limit"
        return {"kind": kind, "message": message, "name": name}

    def _ready(self) -> "psycopg.Connection[Any]":
        if self._connection is None or self._connection.closed:
            self._harmless = set()
            self._connection = self._connect()
        return self._connection

    def _connect(self) -> "psycopg.Connection[Any]":
        try:
            connection = psycopg.connect(
                **{"connect_timeout": CONNECT_SECONDS, **self._parameters}, autocommit=True
            )
        except psycopg.Error as error:
            raise ConnectionTroubleError(explain_connection(str(error))) from None
        try:
            self._prepare(connection)
        except psycopg.Error as error:
            connection.close()
            msg = f"the session could not be set up: {error}. Is it PostgreSQL 12 or later?"
            raise ConnectionTroubleError(msg) from None
        return connection

    def _prepare(self, connection: "psycopg.Connection[Any]") -> None:
        trouble = None if self._may_be_superuser else role_trouble(connection)
        if trouble is not None:
            connection.close()
            raise ConnectionTroubleError(trouble)
        for kind in AS_TEXT:
            connection.adapters.register_loader(kind, TextLoader)
        connection.execute(SETTINGS)
        for extra in (CHECK_CLIENT, SUPERUSER_SETTINGS):
            with contextlib.suppress(psycopg.Error):
                connection.execute(extra)

    def _run(self, sql: str, seconds: float, rows: int, total_bytes: int, cell_bytes: int) -> dict[str, Any]:
        deadline = time.monotonic() + seconds
        tokens = one_select(sql, "postgres")
        if isinstance(tokens, Refusal):
            return tokens._asdict()
        connection = self._ready()
        refusal = self._check(connection, tokens)
        if refusal is not None:
            return refusal._asdict()
        try:
            _begin(connection, seconds)
            _declare(connection, sql)
            if self._policy != AccessPolicy():
                refusal = forbidden_relation(connection, self._policy, self._names)
                if refusal is not None:
                    return refusal._asdict()
            return _fetch(connection, sql, deadline, rows, total_bytes, cell_bytes)
        finally:
            _end(connection)

    def _check(self, connection: "psycopg.Connection[Any]", tokens: list[Token]) -> Refusal | None:
        """The second look: functions by the catalogue, columns by the statement's text."""
        names = called(tokens) - self._harmless
        has_policy = self._policy != AccessPolicy()
        if names:
            refusal = forbidden_function(connection, names, has_policy)
            if refusal is not None:
                return refusal
            self._harmless |= names
        if not has_policy:
            return None
        self._names.refresh(connection)
        return check_access(tokens, "postgres", self._policy, self._names.catalog)


def _begin(connection: "psycopg.Connection[Any]", seconds: float) -> None:
    milliseconds = max(1, int(seconds * 1000))
    connection.execute(
        f"BEGIN READ ONLY; SET LOCAL statement_timeout = {milliseconds}; "
        f"SET LOCAL lock_timeout = {milliseconds}; "
        f"SET LOCAL idle_in_transaction_session_timeout = {milliseconds + 5000}".encode()
    )


def _declare(connection: "psycopg.Connection[Any]", sql: str) -> None:
    """Let the server say that the text is one SELECT that writes nothing: only that can be a cursor's.

    It is parsed, its tables are locked and it is planned, but not run. PQexecParams sends one statement a
    message, so nothing can be stacked behind it.
    """
    text = f"DECLARE {CURSOR} NO SCROLL CURSOR FOR {sql}".encode("utf-8", "replace")
    result = connection.pgconn.exec_params(text, None)
    if result.status == pq.ExecStatus.FATAL_ERROR:
        raise error_from_result(result, "utf-8")


def _fetch(
    connection: "psycopg.Connection[Any]",
    sql: str,
    deadline: float,
    rows: int,
    total_bytes: int,
    cell_bytes: int,
) -> dict[str, Any]:
    """Run the text that was declared, as a stream: FETCH would first lay all rows down on the server."""
    left = max(1, int((deadline - time.monotonic()) * 1000))
    connection.execute(f"SET LOCAL statement_timeout = {left}".encode())
    with connection.cursor() as cursor:
        stream = cursor.stream(sql.encode("utf-8", "replace"))  # extended protocol: one statement
        try:
            clipped = clip_rows(_cells(stream), rows, total_bytes, cell_bytes)
            described = cursor.description or []
        finally:
            if isinstance(stream, Generator):
                stream.close()  # cancels on the server what was not read
        columns = [column.name for column in described]
        types = [column.type_display for column in described]
    return {"columns": columns, "types": types, "rows": clipped.rows, "truncated": clipped.truncated}


def _cells(stream: Iterable[Any]) -> Iterator[list[Any]]:
    for row in stream:
        yield [cell(value) for value in row]


def _end(connection: "psycopg.Connection[Any]") -> None:
    """Always back; a connection that cannot roll back is dropped."""
    try:
        connection.execute("ROLLBACK")
    except psycopg.Error:
        connection.close()


def open_session(options: dict[str, Any]) -> Session:
    """The session of one server and database.

    Args:
        options: `parameters` of the connection, `allow_superuser`, `policy`.
    """
    return Session(options)
