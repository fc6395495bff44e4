"""SQLite behind the database interface: every statement runs in a worker, under an authorizer and limits."""

import os
import re
import threading
import time
from dataclasses import replace
from pathlib import Path

from critiql.tools.database.engine import DEFAULT_LIMITS, DatabaseError
from critiql.tools.database.guard.policy import AccessPolicy
from critiql.tools.database.result import Limits, Result, Rows
from critiql.tools.database.sandbox.pool import WORKER_ERRORS, WorkerPool, WorkerSpec, WorkerTimeoutError
from critiql.tools.database.sandbox.statement import ask_rows
from critiql.tools.database.spans import traced_query
from critiql.tools.database.sqlite.introspect import quoted
from critiql.tools.database.structure import schema_of
from critiql.tools.schema.model import Schema, Table

PREFIX = re.compile(r"^sqlite(?:\+[a-z0-9_]+)?:///", re.IGNORECASE)
"""What stands before the path in SQLAlchemy's URLs."""
SAMPLE_ROWS = 3
INTROSPECTION_SECONDS = 20.0
INTROSPECTION_BYTES = 64 * 2**20
LOOK_SECONDS = 0.5
"""Time for one count or one sample; a table too large for it has no count."""
LOOKS_SECONDS = 4.0
"""Time for all counts and samples of a database together."""


def check_file(path: Path) -> None:
    """Look at the file without opening it: closing it would drop locks that this process may hold on it.

    Raises:
        DatabaseError: it is missing, a folder, or not readable.
    """
    try:
        is_folder, exists = path.is_dir(), path.exists()
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror}. Let this user look into its folder."
        raise DatabaseError(msg) from None
    if is_folder:
        msg = f"{path} is a folder. Name a SQLite file in it."
        raise DatabaseError(msg)
    if not exists:
        msg = f"There is no file {path}. Check the path; Critiql reads databases and never creates one."
        raise DatabaseError(msg)
    if not path.is_file():
        msg = f"{path} is no regular file but a pipe or a device. Name a SQLite file."
        raise DatabaseError(msg)
    if not os.access(path, os.R_OK):
        msg = f"{path} cannot be read: permission denied. Let this user read the file and its folder."
        raise DatabaseError(msg)


class SqliteDatabase:
    """One SQLite file, read-only. Safe under threads; up to `workers` statements run at once."""

    def __init__(self, path: Path, policy: AccessPolicy | None = None, workers: int = 4) -> None:
        self._path = path
        self._policy = policy or AccessPolicy()
        options = {"path": os.fspath(path), "policy": self._policy.as_options()}
        spec = WorkerSpec("critiql.tools.database.sqlite.session", options)
        self._pool = WorkerPool(spec, workers)
        self._schema: Schema | None = None
        self._checked: Schema | None = None
        """The structure as `check` read it, for the first `schema`: that takes seconds on a wide file."""
        self._schema_lock = threading.Lock()

    @property
    def url(self) -> str:
        """`sqlite:///` and the absolute path."""
        return f"sqlite:///{self._path}"

    @property
    def dialect(self) -> str:
        """Always `sqlite`."""
        return "sqlite"

    @property
    def pool(self) -> WorkerPool:
        """The workers, for tests and reports."""
        return self._pool

    def run(self, sql: str, limits: Limits = DEFAULT_LIMITS) -> Result:
        """Run one statement, read-only, within the limits. Never raises for what the SQL does."""
        return traced_query(self.dialect, sql, lambda: ask_rows(self._pool, sql, limits))

    def schema(self) -> Schema:
        """Tables, columns, keys, row counts and first rows; read once and kept.

        Raises:
            DatabaseError: the file is corrupt, locked, or holds no table.
        """
        with self._schema_lock:
            if self._schema is None:
                self._schema = self._read_schema()
            return self._schema

    def close(self) -> None:
        """End the workers; a later `run` starts them again."""
        self._pool.close()

    def check(self) -> None:
        """Read the structure once, without counts and rows.

        Raises:
            DatabaseError: as `schema`.
        """
        self._checked = self._structure()

    def _structure(self) -> Schema:
        request = {"op": "introspect", "limits": [INTROSPECTION_SECONDS]}
        try:
            reply = self._pool.ask(request, INTROSPECTION_SECONDS, INTROSPECTION_BYTES)
        except WorkerTimeoutError as error:
            msg = (
                f"The structure of {self._path} was not read in {INTROSPECTION_SECONDS:g} s. "
                "It is very large, or the machine is busy: try again, or name a smaller copy."
            )
            raise DatabaseError(msg) from error
        except WORKER_ERRORS as error:
            msg = f"The structure of {self._path} could not be read: {error}. The file may be damaged."
            raise DatabaseError(msg) from error
        if "kind" in reply:
            raise DatabaseError(_explain(self._path, reply["kind"], reply["message"]))
        found = schema_of(reply["tables"], self.dialect, self._policy)
        if not found.tables:
            msg = f"{self._path} holds no table that may be read. Name a database with tables."
            raise DatabaseError(msg)
        return found

    def _read_schema(self) -> Schema:
        structure, self._checked = self._checked or self._structure(), None
        deadline = time.monotonic() + LOOKS_SECONDS
        counts: dict[str, int] = {}
        samples: dict[str, tuple[tuple[object, ...], ...]] = {}
        for table in structure.tables:
            if table.is_view or time.monotonic() > deadline:
                continue
            name = quoted(table.name)
            counted = self.run(f"SELECT count(*) FROM {name}", Limits(LOOK_SECONDS))
            if isinstance(counted, Rows) and isinstance(counted.rows[0][0], int):
                counts[table.name] = counted.rows[0][0]
            sampled = self.run(_sample_sql(table), Limits(LOOK_SECONDS, SAMPLE_ROWS))
            if isinstance(sampled, Rows):
                samples[table.name] = sampled.rows
        tables = tuple(replace(table, row_count=counts.get(table.name)) for table in structure.tables)
        return replace(structure, tables=tables, samples=samples)


def _sample_sql(table: Table) -> str:
    columns = ", ".join(quoted(column.name) for column in table.columns)
    return f"SELECT {columns} FROM {quoted(table.name)} LIMIT {SAMPLE_ROWS}"


def _explain(path: Path, kind: str, message: str) -> str:
    if kind == "locked":
        return f"{path} is locked by another program ({message}). Try again when it has finished writing."
    if "not a database" in message:
        return (
            f"{path} is not a SQLite database, or it is encrypted. Name a SQLite 3 file, or decrypt it first."
        )
    if "malformed" in message:
        return f"{path} is damaged: {message}. Try `sqlite3 FILE .recover` on a copy."
    if Path(f"{path}-wal").exists() or Path(f"{path}-journal").exists():
        return (
            f"{path} cannot be read as it is: {message}. A program that wrote it did not finish: "
            "open it once with `sqlite3 FILE .tables` so that SQLite recovers it."
        )
    return f"{path} cannot be read: {message}."


def open_sqlite(url: str, policy: AccessPolicy | None = None) -> SqliteDatabase:
    """The database at a path or `sqlite:///path`, checked.

    Raises:
        DatabaseError: it cannot be read or holds no table.
    """
    path = Path(PREFIX.sub("", url)).expanduser().absolute()
    check_file(path)
    database = SqliteDatabase(path, policy)
    try:
        database.check()
    except DatabaseError:
        database.close()
        raise
    return database
