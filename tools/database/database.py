"""A database whose statements run in worker processes: the parent's side, the same for every engine."""

import threading
import time
from dataclasses import replace
from typing import Any

from critiql.tools.database.engine import DEFAULT_LIMITS, DatabaseError
from critiql.tools.database.guard.policy import AccessPolicy
from critiql.tools.database.result import Limits, Result, Rows
from critiql.tools.database.sandbox.pool import WORKER_ERRORS, WorkerPool, WorkerSpec
from critiql.tools.database.sandbox.statement import ask_rows
from critiql.tools.database.spans import traced_query
from critiql.tools.database.structure import schema_of
from critiql.tools.schema.model import Schema, Table
from critiql.tools.schema.quoting import quote_name

SAMPLE_ROWS = 3
INTROSPECTION_SECONDS = 20.0
INTROSPECTION_BYTES = 64 * 2**20
LOOK_SECONDS = 0.5
"""Time for one count or one sample; a table too large for it keeps the engine's estimate."""
LOOKS_SECONDS = 4.0
"""Time for all counts and samples of a database together."""
VERSION_SECONDS = 2.0
"""How long a server's schema is believed before it is asked whether it changed."""
COUNTED_ROWS = 1_000_000
"""A table the engine estimates larger than this is not counted."""


class WorkerDatabase:
    """One database, read-only. Safe under threads; up to `workers` statements run at once."""

    def __init__(
        self,
        url: str,
        dialect: str,
        spec: WorkerSpec,
        policy: AccessPolicy | None = None,
        workers: int = 4,
        tells_version: bool = False,
    ) -> None:
        """Make the database; `tells_version` says that its session answers `version`, as servers' do."""
        self._url = url
        self._dialect = dialect
        self._policy = policy or AccessPolicy()
        self._pool = WorkerPool(spec, workers)
        self._tells_version = tells_version
        self._version: str | None = None
        self._looked_at = 0.0
        self._schema: Schema | None = None
        self._checked: tuple[Schema, dict[str, int]] | None = None
        self._schema_lock = threading.Lock()

    @property
    def url(self) -> str:
        """What it was opened with, without secrets."""
        return self._url

    @property
    def dialect(self) -> str:
        """The sqlglot dialect of its SQL."""
        return self._dialect

    @property
    def pool(self) -> WorkerPool:
        """The workers, for tests and reports."""
        return self._pool

    def run(self, sql: str, limits: Limits = DEFAULT_LIMITS) -> Result:
        """Run one statement, read-only, within the limits. Never raises for what the SQL does."""
        return traced_query(self.dialect, sql, lambda: ask_rows(self._pool, sql, limits))

    def schema(self) -> Schema:
        """Tables, columns, keys, comments, row counts and first rows; kept until a server says they changed.

        Raises:
            DatabaseError: the database cannot be reached or holds no table that may be read.
        """
        with self._schema_lock:
            if self._schema is None or self._has_changed():
                self._schema = self._read_schema()
            return self._schema

    def _has_changed(self) -> bool:
        """Whether a server, asked now and then, has other tables or columns than those that were read."""
        now = time.monotonic()
        if not self._tells_version or now - self._looked_at < VERSION_SECONDS:
            return False
        self._looked_at = now
        before, self._version = self._version, self._ask_version() or self._version
        return before != self._version

    def _ask_version(self) -> str | None:
        """A digest of tables and columns; None where the server does not tell now."""
        request = {"op": "version", "limits": [LOOKS_SECONDS]}
        try:
            reply = self._pool.ask(request, LOOKS_SECONDS, INTROSPECTION_BYTES)
        except WORKER_ERRORS:
            return None
        found = reply.get("version")
        return found if isinstance(found, str) else None

    def close(self) -> None:
        """End the workers and their connections; a later `run` starts them again."""
        self._pool.close()

    def structure(self) -> tuple[Schema, dict[str, int]]:
        """The schema without rows, and the engine's estimates of row counts.

        Raises:
            DatabaseError: as `schema`.
        """
        request = {"op": "introspect", "limits": [INTROSPECTION_SECONDS]}
        try:
            reply = self._pool.ask(request, INTROSPECTION_SECONDS, INTROSPECTION_BYTES)
        except WORKER_ERRORS as error:
            msg = f"{self._url} could not be read: {error}. Check that it answers, then try again."
            raise DatabaseError(msg) from error
        if "kind" in reply:
            raise DatabaseError(f"{self._url} cannot be read: {reply['message']}")
        found = schema_of(reply["tables"], self._dialect, self._policy)
        if not found.tables:
            msg = (
                f"{self._url} holds no table that this account may read. "
                "Name another database, or grant SELECT on its tables."
            )
            raise DatabaseError(msg)
        return found, _estimates(reply["tables"])

    def check(self) -> None:
        """Read the structure once, without counts and rows; the first `schema` begins with it.

        Raises:
            DatabaseError: as `structure`.
        """
        if self._tells_version:
            self._version, self._looked_at = self._ask_version(), time.monotonic()
        self._checked = self.structure()

    def _read_schema(self) -> Schema:
        if self._checked is None:
            self.check()
        (structure, estimates), self._checked = self._checked or self.structure(), None
        deadline = time.monotonic() + LOOKS_SECONDS
        counts = dict(estimates)
        samples: dict[str, tuple[tuple[object, ...], ...]] = {}
        for table in structure.tables:
            if table.is_view or time.monotonic() > deadline:
                continue
            sampled = self.run(self._sample_sql(table), Limits(LOOK_SECONDS, SAMPLE_ROWS))
            if isinstance(sampled, Rows):
                samples[table.name] = sampled.rows
            if estimates.get(table.name, 0) <= COUNTED_ROWS:
                counted = self.run(f"SELECT count(*) FROM {self._quoted(table.name)}", Limits(LOOK_SECONDS))
                if isinstance(counted, Rows) and isinstance(counted.rows[0][0], int):
                    counts[table.name] = counted.rows[0][0]
        tables = tuple(replace(table, row_count=counts.get(table.name)) for table in structure.tables)
        return replace(structure, tables=tables, samples=samples)

    def _quoted(self, name: str) -> str:
        return quote_name(name, self._dialect)

    def _sample_sql(self, table: Table) -> str:
        columns = ", ".join(self._quoted(column.name) for column in table.columns)
        return f"SELECT {columns} FROM {self._quoted(table.name)} LIMIT {SAMPLE_ROWS}"


def _estimates(raw_tables: list[dict[str, Any]]) -> dict[str, int]:
    return {raw["name"]: raw["rows"] for raw in raw_tables if isinstance(raw.get("rows"), int)}


def opened(database: WorkerDatabase) -> WorkerDatabase:
    """The database when its structure can be read.

    Raises:
        DatabaseError: it cannot.
    """
    try:
        database.check()
    except DatabaseError:
        database.close()
        raise
    return database
