"""The worker's side of PostgreSQL: one declared SELECT in a read-only transaction at a time."""

import contextlib
import math
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Any

import psycopg
from psycopg import pq
from psycopg.errors import error_from_result
from psycopg.types.string import TextLoader

from critiql.tools.database.guard.policy import AccessPolicy
from critiql.tools.database.guard.single_select import Refusal
from critiql.tools.database.postgres import guard, introspect, relations
from critiql.tools.database.postgres.errors import classify, explain_connection
from critiql.tools.database.postgres.guard import forbidden_fact, forbidden_name, lookup_sql
from critiql.tools.database.postgres.policy import check_policy
from critiql.tools.database.postgres.reading import Statement, read_statement
from critiql.tools.database.postgres.role import role_trouble
from critiql.tools.database.sandbox.cells import cell
from critiql.tools.database.sandbox.clip import clip_rows

SETTINGS = (
    "SET standard_conforming_strings = on; SET default_transaction_read_only = on; "
    "SET max_parallel_workers_per_gather = 0; SET work_mem = '16MB'; SET DateStyle = 'ISO'; "
    "SET bytea_output = 'hex'; SET plan_cache_mode = force_generic_plan"
)
"""Of the session; none of them is the boundary, since a statement that could change them does not run."""
SUPERUSER_SETTINGS = "SET temp_file_limit = '256MB'"
CHECK_CLIENT = "SET client_connection_check_interval = '100ms'"
"""From PostgreSQL 14: the server ends a statement whose worker was killed."""
AS_TEXT = ("date", "time", "timetz", "timestamp", "timestamptz", "interval", "json", "jsonb", "uuid")
"""Types that arrive as the server prints them: Python's have no infinity and no years before 1."""
CONNECT_SECONDS = 5
FRESH_SECONDS = 2.0
"""How long what the catalogue said of the same names is believed."""
SPENT_SECONDS = 0.02
KNOWN = 256
"""Questions to the catalogue whose answers are kept."""
CURSOR = "critiql_cursor"


Facts = list[tuple[Any, ...]]
"""Rows of the catalogue about functions, operators, types and casts."""


class ConnectionTroubleError(Exception):
    """The server cannot be used; the sentence says why and what to do."""


class Session:
    """Answers requests for one database; connects on demand, and again after a connection was lost."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._parameters: dict[str, Any] = options["parameters"]
        self._may_be_superuser: bool = options["allow_superuser"]
        self._policy = AccessPolicy.from_options(options["policy"])
        self._connection: psycopg.Connection[Any] | None = None
        self._known: dict[str, tuple[float, Facts]] = {}
        """When and what the catalogue last said, by the question."""
        with contextlib.suppress(ConnectionTroubleError, psycopg.Error):
            self._ready()  # connecting belongs to the start, not to the first statement's time

    def __call__(self, request: dict[str, Any]) -> dict[str, Any]:
        """The reply to one request."""
        try:
            if request["op"] == "introspect":
                return {"tables": self._look(introspect.tables)}
            if request["op"] == "version":
                return {"version": self._look(introspect.version)}
            return self._run(request["sql"], *request["limits"])
        except ConnectionTroubleError as error:
            return {"kind": "connection", "message": str(error)}
        except psycopg.Error as error:
            return self._reply_of(error)

    def _look(self, read: "Callable[[psycopg.Connection[Any]], Any]") -> Any:
        """What a question to the catalogue gives; asked again when the connection was lost."""
        try:
            return read(self._ready())
        except psycopg.Error:
            if self._connection is None or not self._connection.closed:
                raise
        return read(self._ready())

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
            self._known = {}
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
        connection.prepare_threshold = None  # or a ROLLBACK makes the driver deallocate ours too
        connection.execute(SETTINGS)
        connection.execute(guard.PREPARE_SQL)
        connection.execute(relations.PREPARE_SQL)
        for extra in (CHECK_CLIENT, SUPERUSER_SETTINGS):
            with contextlib.suppress(psycopg.Error):
                connection.execute(extra)

    def _run(self, sql: str, seconds: float, rows: int, total_bytes: int, cell_bytes: int) -> dict[str, Any]:
        deadline = time.monotonic() + seconds
        statement = read_statement(sql)
        if isinstance(statement, Refusal):
            return statement._asdict()
        has_policy = self._policy != AccessPolicy()
        refusal = forbidden_name(statement.names, has_policy)
        if refusal is not None:
            return refusal._asdict()
        connection, facts = self._begin(statement, seconds)
        try:
            refusal = forbidden_fact(facts, has_policy) or self._declared(connection, statement, has_policy)
            if refusal is not None:
                return refusal._asdict()
            _shorten(connection, deadline, seconds)
            return _fetch(connection, statement.text, rows, total_bytes, cell_bytes)
        finally:
            _end(connection)

    def _begin(self, statement: Statement, seconds: float) -> "tuple[psycopg.Connection[Any], Facts]":
        """A transaction, and what the catalogue says of the names in the statement.

        A connection that was lost while it was idle is made again, once: nothing of the statement was sent.
        """
        is_new = self._connection is None or self._connection.closed
        connection = self._ready()
        try:
            return connection, self._facts(connection, statement, seconds)
        except psycopg.Error:
            if is_new or not connection.closed:
                _end(connection)
                raise
        connection = self._ready()
        return connection, self._facts(connection, statement, seconds)

    def _facts(self, connection: "psycopg.Connection[Any]", statement: Statement, seconds: float) -> "Facts":
        question, now = lookup_sql(statement.names), time.monotonic()
        read_at, facts = self._known.get(question, (-FRESH_SECONDS, []))
        if now - read_at < FRESH_SECONDS:
            _begin(connection, "", seconds)
            return facts
        facts = _begin(connection, question, seconds)
        if len(self._known) >= KNOWN:
            self._known.clear()
        self._known[question] = now, facts
        return facts

    def _declared(
        self, connection: "psycopg.Connection[Any]", statement: Statement, has_policy: bool
    ) -> Refusal | None:
        """The server's own word that it is one SELECT, and what the policy says of what that reads."""
        _declare(connection, statement.query)
        return check_policy(connection, statement, self._policy) if has_policy else None


def _begin(connection: "psycopg.Connection[Any]", question: str, seconds: float) -> Facts:
    """Begin the transaction, and ask the catalogue in the same message."""
    milliseconds = max(1, int(seconds * 1000))
    cursor = connection.execute(
        f"BEGIN READ ONLY; SET LOCAL statement_timeout = {milliseconds}; "
        f"SET LOCAL lock_timeout = {milliseconds}; "
        f"SET LOCAL idle_in_transaction_session_timeout = {milliseconds + 5000}; "
        f"{question}".encode()
    )
    while cursor.nextset():
        pass
    return cursor.fetchall() if question else []


def _declare(connection: "psycopg.Connection[Any]", sql: str) -> None:
    """Let the server say that the text is one SELECT that writes nothing: only that can be a cursor's.

    It is parsed, its tables are locked and it is planned, but not run. PQexecParams sends one statement a
    message, so nothing can be stacked behind it.
    """
    text = f"DECLARE {CURSOR} NO SCROLL CURSOR FOR {sql}".encode("utf-8", "replace")
    result = connection.pgconn.exec_params(text, None)
    if result.status == pq.ExecStatus.FATAL_ERROR:
        raise error_from_result(result, "utf-8")


def _shorten(connection: "psycopg.Connection[Any]", deadline: float, seconds: float) -> None:
    """Take what declaring took from the statement's time, where it is worth a message."""
    left = deadline - time.monotonic()
    if seconds - left > SPENT_SECONDS:
        connection.execute(f"SET LOCAL statement_timeout = {max(1, int(left * 1000))}".encode())


def _fetch(
    connection: "psycopg.Connection[Any]",
    sql: str,
    rows: int,
    total_bytes: int,
    cell_bytes: int,
) -> dict[str, Any]:
    """Run the text that was declared, as a stream: FETCH would first lay all rows down on the server."""
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
        yield [_exact(value) for value in row]


def _exact(value: Any) -> Any:
    """As a cell; what no number of JSON is, as the server prints it."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return cell(value)


def _end(connection: "psycopg.Connection[Any]") -> None:
    """Always back; a connection that cannot roll back is dropped."""
    try:
        connection.execute("ROLLBACK; SELECT pg_catalog.pg_advisory_unlock_all()")
    except psycopg.Error:
        connection.close()


def open_session(options: dict[str, Any]) -> Session:
    """The session of one server and database.

    Args:
        options: `parameters` of the connection, `allow_superuser`, `policy`.
    """
    return Session(options)
