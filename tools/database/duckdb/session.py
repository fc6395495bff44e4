"""The worker's side of DuckDB: one locked, read-only connection without files, network or spill."""

import contextlib
from collections.abc import Iterator
from typing import Any

import duckdb

from critiql.tools.database.duckdb import introspect
from critiql.tools.database.duckdb.errors import classify
from critiql.tools.database.guard.access import Catalog, check_access
from critiql.tools.database.guard.policy import AccessPolicy
from critiql.tools.database.guard.single_select import SELECT_ONLY, Refusal, one_select
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
    "threads": "2",
}
"""Set when the file is opened, then locked, so that no statement can change it."""
FETCHED = 256
"""Rows taken from the engine at once."""


class Session:
    """Answers requests for one file."""

    def __init__(self, path: str, lists: dict[str, Any]) -> None:
        self._path = path
        allow = lists["allow_tables"]
        self._policy = AccessPolicy(
            None if allow is None else frozenset(allow),
            frozenset(lists["deny_tables"]),
            frozenset(lists["deny_columns"]),
        )
        self._connection: Any = None
        self._alarm = Alarm(self._interrupt)
        self._catalog = Catalog(frozenset())
        with contextlib.suppress(duckdb.Error):
            self._ready()  # opening belongs to the start, not to the first statement's time

    def __call__(self, request: dict[str, Any]) -> dict[str, Any]:
        """The reply to one request."""
        try:
            connection = self._ready()
        except duckdb.Error as error:
            return {"kind": "connection", "message": _sentence(error)}
        try:
            if request["op"] == "introspect":
                return {"tables": introspect.tables(connection)}
            return self._run(connection, request["sql"], *request["limits"])
        except (duckdb.Error, RuntimeError, ValueError, OverflowError) as error:
            return _reply_of(error)

    def _interrupt(self) -> None:
        if self._connection is not None:
            self._connection.interrupt()

    def _ready(self) -> Any:
        if self._connection is None:
            connection = duckdb.connect(self._path, read_only=True, config=CONFIG)
            connection.execute("SET lock_configuration = true")
            self._connection = connection
            self._catalog = _catalog(connection)
        return self._connection

    def _run(
        self, connection: Any, sql: str, seconds: float, rows: int, total_bytes: int, cell_bytes: int
    ) -> dict[str, Any]:
        with self._alarm.within(seconds):
            refusal = self._refusal(connection, sql)
            if refusal is not None:
                return refusal._asdict()
            relation = connection.execute(sql)
            clipped = clip_rows(_cells(relation), rows, total_bytes, cell_bytes)
            described = relation.description or []
        return {
            "columns": [str(column[0]) for column in described],
            "types": [str(column[1]) for column in described],
            "rows": clipped.rows,
            "truncated": clipped.truncated,
        }

    def _refusal(self, connection: Any, sql: str) -> Refusal | None:
        """What the engine's own reading says the text is, then the tokens under a policy."""
        if "\x00" in sql:
            return Refusal("syntax", "the statement contains a null character")
        statements = connection.extract_statements(sql)
        if len(statements) > 1:
            return Refusal("several_statements", "only one statement may run at a time")
        if not statements:
            return Refusal("empty", "there is no statement to run")
        if statements[0].type != duckdb.StatementType.SELECT:
            return Refusal("denied", SELECT_ONLY)
        if self._policy == AccessPolicy():
            return None
        tokens = one_select(sql, "duckdb")
        if isinstance(tokens, Refusal):
            return tokens
        return check_access(tokens, "duckdb", self._policy, self._catalog)


def _catalog(connection: Any) -> Catalog:
    names = connection.execute(introspect.NAMES_SQL).fetchall()
    schemas = connection.execute(introspect.SCHEMAS_SQL).fetchall()
    macros = connection.execute(introspect.MACROS_SQL).fetchall()
    return Catalog(
        frozenset(name for name, _ in names),
        {name: sql.split(" AS ", 1)[-1] for name, sql in names if sql is not None},
        frozenset(name for (name,) in schemas),
        frozenset(name for (name,) in macros),
    )


def _cells(relation: Any) -> Iterator[list[Any]]:
    while batch := relation.fetchmany(FETCHED):
        for row in batch:
            yield [cell(value) for value in row]


def _sentence(error: Exception) -> str:
    """The first paragraph; what follows are suggestions and the statement again."""
    return str(error).split("\n\n")[0].strip() or type(error).__name__


def _reply_of(error: Exception) -> dict[str, Any]:
    message = _sentence(error)
    kind, name = classify(type(error).__name__, str(error))
    if kind == "timeout":
        message = "the statement was stopped at its time limit"
    return {"kind": kind, "message": message, "name": name}


def open_session(options: dict[str, Any]) -> Session:
    """The session of the file at `path` under `policy`."""
    return Session(options["path"], options["policy"])
