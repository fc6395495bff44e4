"""The worker's side of SQLite: one guarded connection, one statement at a time. Standard library only."""

import contextlib
import sqlite3
import time
from typing import Any

from critiql.tools.database.sandbox.clip import clip_rows
from critiql.tools.database.sqlite import introspect
from critiql.tools.database.sqlite.errors import SQLITE_FAILURES, classify
from critiql.tools.database.sqlite.files import FileState, connect, file_state
from critiql.tools.database.sqlite.guard import Guard
from critiql.tools.database.sqlite.virtual import VirtualTables, read_virtual_tables

HEAP_BYTES = 192 * 2**20
"""SQLite's own hard heap limit; below the process limit, so that it fails first and cleanly."""
STEPS = 2000
"""Virtual machine instructions between two looks at the clock (some 20 microseconds)."""
BUSY_SECONDS = 1.0
"""How long a statement waits for another process's lock."""
FORGET_AFTER = ("connection", "locked", "denied")
"""Failures after which the connection is made anew; a refused write drops SQLite's picture of the schema."""
LENGTHS = {
    sqlite3.SQLITE_LIMIT_LENGTH: 20_000_000,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 1_000_000,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 500,
    sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 200,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 1000,
    sqlite3.SQLITE_LIMIT_FUNCTION_ARG: 127,
    sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH: 1,
    sqlite3.SQLITE_LIMIT_WORKER_THREADS: 0,
}
"""Limits of SQLite. 20 MB for one value or row: real blobs can be read, and string bombs stay small."""


def _to_text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


class Session:
    """Answers requests for one file; opens it on demand, and again after it changed."""

    def __init__(self, path: str, policy: dict[str, list[str] | None]) -> None:
        self._path = path
        self._guard = Guard(policy["allow_tables"], policy["deny_tables"] or [], policy["deny_columns"] or [])
        self._connection: sqlite3.Connection | None = None
        self._state: FileState | None = None
        self._deadline = 0.0

    def __call__(self, request: dict[str, Any]) -> dict[str, Any]:
        """The reply to one request."""
        try:
            if request["op"] == "introspect":
                return self._introspect()
            return self._run(request["sql"], *request["limits"])
        except OSError as error:
            self._forget()
            return {"kind": "connection", "message": f"the database file cannot be read: {error.strerror}"}
        except SQLITE_FAILURES as error:
            return self._reply_of(error)

    def _reply_of(self, error: Exception) -> dict[str, Any]:
        kind, message, name = classify(error)
        if kind == "timeout":
            message = "the statement was stopped at its time limit"
        if kind in ("denied", "syntax", "other") and self._guard.denied:
            kind, (message, name) = "denied", self._guard.denied
        if kind in FORGET_AFTER:
            self._forget()
        return {"kind": kind, "message": message, "name": name}

    def _forget(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _introspect(self) -> dict[str, Any]:
        self._forget()  # reading the header closes the file once, which would drop this connection's locks
        with contextlib.closing(connect(file_state(self._path), BUSY_SECONDS)) as connection:
            connection.text_factory = _to_text
            return {"tables": introspect.tables(connection)}

    def _run(self, sql: str, seconds: float, rows: int, total_bytes: int, cell_bytes: int) -> dict[str, Any]:
        self._deadline = time.monotonic() + seconds
        connection = self._ready()
        self._guard.begin(sql)
        if self._guard.is_unreported or self._guard.needs_two_looks:
            self._look(connection, sql)
        if self._guard.denied:
            return {"kind": "denied", **self._guard.denied._asdict()}
        cursor = connection.execute(sql)
        if cursor.description is None:
            return {"kind": "empty", "message": "there is no statement to run"}
        names = [column[0] for column in cursor.description]
        try:
            clipped = clip_rows(cursor, rows, total_bytes, cell_bytes)
        finally:
            cursor.close()
        return {"columns": names, "rows": clipped.rows, "truncated": clipped.truncated}

    def _look(self, connection: sqlite3.Connection, sql: str) -> None:
        """Prepare the statement once without running it: what it opens itself, before what runs inside it.

        A statement that cannot be explained, as an EXPLAIN cannot, gets no second look and so no more rights.
        """
        try:
            steps = connection.execute(f"EXPLAIN {sql}").fetchall()
        except sqlite3.Error:
            if self._guard.is_explain:
                return
            raise
        if self._guard.is_unreported:
            self._guard.denied = self._guard.opened(steps)
        self._guard.runs_inside = True

    def _ready(self) -> sqlite3.Connection:
        state = file_state(self._path)
        if self._connection is not None and self._state is not None and not self._is_stale(state):
            return self._connection
        self._forget()
        self._connection, self._state = connect(state, BUSY_SECONDS), state
        self._arm(self._connection)
        return self._connection

    def _is_stale(self, state: FileState) -> bool:
        """An immutable connection never sees a change, so any change of the file opens it again."""
        return state != self._state

    def _arm(self, connection: sqlite3.Connection) -> None:
        connection.text_factory = _to_text
        connection.execute(f"PRAGMA hard_heap_limit={HEAP_BYTES}")
        for limit, value in LENGTHS.items():
            connection.setlimit(limit, value)
        connection.set_progress_handler(lambda: time.monotonic() > self._deadline, STEPS)
        virtual = read_virtual_tables(connection)
        _connect_virtual_tables(connection, virtual)
        self._guard.knows(virtual, *_names_and_roots(connection))
        connection.set_authorizer(self._guard)


def _names_and_roots(connection: sqlite3.Connection) -> tuple[frozenset[str], dict[int, str]]:
    """Tables and views, case-folded; and the table of every root page, of tables and indexes."""
    found = connection.execute("SELECT tbl_name, rootpage FROM sqlite_master").fetchall()
    names = [(name.casefold(), page) for name, page in found]
    return frozenset(name for name, _ in names), {page: name for name, page in names if page}


def _connect_virtual_tables(connection: sqlite3.Connection, virtual: VirtualTables) -> None:
    """Prepare one statement on each: the first use declares the table, which the authorizer would deny."""
    for name in ("json_each", "json_tree", *virtual.tables):
        with contextlib.suppress(sqlite3.Error):
            connection.execute(f"EXPLAIN SELECT 1 FROM {introspect.quoted(name)}").close()


def open_session(options: dict[str, Any]) -> Session:
    """The session of the file at `path` under `policy`."""
    return Session(options["path"], options["policy"])
