"""The worker's side of DuckDB: one locked, read-only connection without files, network or spill."""

import contextlib
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb

from critiql.tools.database.duckdb import introspect
from critiql.tools.database.duckdb.catalog import Catalog, read_catalog
from critiql.tools.database.duckdb.errors import classify
from critiql.tools.database.duckdb.files import FileState, file_state
from critiql.tools.database.duckdb.wall import NoTreeError, Wall
from critiql.tools.database.guard.policy import AccessPolicy
from critiql.tools.database.guard.single_select import SELECT_ONLY, Refusal
from critiql.tools.database.sandbox.alarm import Alarm
from critiql.tools.database.sandbox.cells import cell
from critiql.tools.database.sandbox.clip import clip_rows

CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "allow_persistent_secrets": "false",
    "python_enable_replacements": "false",
    "temp_directory": "",
    "max_temp_directory_size": "0KB",
    "memory_limit": "256MB",
    "threads": "1",
    "async_threads": "0",
}
"""Set when the file is opened, then locked, so that no statement can change it."""
THREADS = 2
"""Of the engine for one statement, where a table has more than one row group to share out."""
ROW_GROUP = 122_880
"""Rows that one thread reads at once: for a smaller table a second one would be woken for nothing."""
FETCHED = 256
"""Rows taken from the engine at once."""
IDLE_SECONDS = 0.5
"""How long the file stays open when nobody asks: an open file keeps every writer out."""
BUSY_SECONDS = 1.0
"""How long a statement waits for another program's lock."""
RETRY_SECONDS = 0.02
DEEPEST_JSON = 20_000
"""Nesting of a statement's tree that is still read; the engine's own limits come first."""
REMEMBERED = 256
"""Statements that may run and need not be read again; a loop of repairs asks the same one often."""
FAILURES = (duckdb.Error, RuntimeError, ValueError, OverflowError)
UNUSABLE = (duckdb.FatalException, duckdb.InternalException)
"""Errors after which a connection is made anew."""


class Session:
    """Answers requests for one file. Closes it when nobody asks, and opens it again when it was replaced."""

    def __init__(self, path: str, policy: dict[str, Any]) -> None:
        self._path, self._log = Path(path), Path(f"{path}.wal")
        self._policy = AccessPolicy.from_options(policy)
        self._connection: Any = None
        self._state: FileState | None = None
        self._catalog = Catalog()
        self._allowed: dict[str, str] = {}
        self._alarm, self._idle = Alarm(self._interrupt), Alarm(self._close)
        with contextlib.suppress(duckdb.Error, OSError):
            self._ready(0.0)  # opening belongs to the start, not to the first statement's time
        self._idle.set(IDLE_SECONDS)

    def __call__(self, request: dict[str, Any]) -> dict[str, Any]:
        """The reply to one request."""
        self._idle.clear()
        try:
            return self._answer(request)
        except OSError as error:
            self._close()
            return {"kind": "connection", "message": f"the database file cannot be read: {error.strerror}"}
        except FAILURES as error:
            if isinstance(error, UNUSABLE):
                self._close()
            return _reply_of(error)
        finally:
            self._idle.set(IDLE_SECONDS)

    def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        seconds = request["limits"][0]
        connection = self._ready(min(seconds, BUSY_SECONDS))
        if request["op"] == "introspect":
            return {"tables": introspect.tables(connection)}
        return self._run(connection, request["sql"], *request["limits"])

    def _interrupt(self) -> None:
        if self._connection is not None:
            self._connection.interrupt()
            self._wall.interrupt()

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            self._wall.close()
            connection.close()

    def _ready(self, seconds: float) -> Any:
        """The connection, to the file that is there now; waits so long for a program that writes to it."""
        state = file_state(self._path, self._log)
        if self._connection is not None and state == self._state:
            return self._connection
        self._close()
        connection = _connect(str(self._path), time.monotonic() + seconds)
        if state != self._state:
            self._catalog = read_catalog(connection)
            self._allowed.clear()
        self._wall = Wall(connection, self._policy, self._catalog)
        if self._catalog.largest > ROW_GROUP:
            connection.execute(f"SET threads = {THREADS}")
        connection.execute("SET lock_configuration = true")
        self._connection, self._state = connection, state
        return connection

    def _run(
        self, connection: Any, sql: str, seconds: float, rows: int, total_bytes: int, cell_bytes: int
    ) -> dict[str, Any]:
        with self._alarm.within(seconds):
            checked = self._allowed.get(sql) or self._checked(connection, sql)
            if isinstance(checked, Refusal):
                return checked._asdict()
            if checked == sql and self._state is not None:
                self._remember(sql)
            relation = connection.execute(checked)
            clipped = clip_rows(_cells(relation), rows, total_bytes, cell_bytes)
            described = relation.description or []
        return {
            "columns": [str(column[0]) for column in described],
            "types": [str(column[1]) for column in described],
            "rows": clipped.rows,
            "truncated": clipped.truncated,
        }

    def _remember(self, sql: str) -> None:
        """Keep that a text may run: nothing it was judged by changes while the file is the same."""
        if len(self._allowed) >= REMEMBERED:
            self._allowed.clear()
        self._allowed[sql] = sql

    def _checked(self, connection: Any, sql: str) -> Refusal | str:
        """The text to run, or why none may run, as the engine itself reads it."""
        if "\x00" in sql:
            return Refusal("syntax", "the statement contains a null character")
        with contextlib.suppress(NoTreeError):
            return self._wall.refusal(sql) or sql
        statements = connection.extract_statements(sql)
        if len(statements) > 1:
            return Refusal("several_statements", "only one statement may run at a time")
        if not statements:
            return Refusal("empty", "there is no statement to run")
        if statements[0].type == duckdb.StatementType.EXPLAIN:
            return self._wall.refusal_of_explain(sql)
        if statements[0].type == duckdb.StatementType.MULTI:
            self._state = None  # the types that PIVOT makes last as long as the connection: the next is new
            return self._wall.refusal_of_pivot(sql) or sql
        return Refusal("denied", SELECT_ONLY)


def _connect(path: str, deadline: float) -> Any:
    """A locked, read-only connection; tries again until the deadline while another program holds the file."""
    while True:
        try:
            return duckdb.connect(path, read_only=True, config=CONFIG)
        except duckdb.IOException as error:
            if classify("IOException", str(error))[0] != "locked" or time.monotonic() > deadline:
                raise
        time.sleep(RETRY_SECONDS)


def _cells(relation: Any) -> Iterator[list[Any]]:
    while batch := relation.fetchmany(FETCHED):
        for row in batch:
            yield [cell(value) for value in row]


def _sentence(error: Exception) -> str:
    """The first paragraph; what follows are suggestions and the statement again."""
    if "pytz" in str(error):
        return "times with a time zone need the package pytz: pip install 'critiql[duckdb]'"
    return str(error).split("\n\n")[0].strip() or type(error).__name__


def _reply_of(error: Exception) -> dict[str, Any]:
    message = _sentence(error)
    kind, name = classify(type(error).__name__, str(error))
    if kind == "timeout":
        message = "the statement was stopped at its time limit"
    return {"kind": kind, "message": message, "name": name}


def open_session(options: dict[str, Any]) -> Session:
    """The session of the file at `path` under `policy`."""
    sys.setrecursionlimit(DEEPEST_JSON)
    return Session(options["path"], options["policy"])
