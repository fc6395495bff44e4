"""A database whose statements run in worker processes: the parent's side, the same for every engine."""

import contextlib
import threading
import time
from dataclasses import replace
from typing import Any, TypeVar

from critiql.tools.database.content_version import file_version
from critiql.tools.database.engine import DEFAULT_LIMITS, DatabaseError
from critiql.tools.database.guard.policy import AccessPolicy
from critiql.tools.database.result import Limits, Result, Rows
from critiql.tools.database.sandbox.pool import WORKER_ERRORS, WorkerPool, WorkerSpec
from critiql.tools.database.sandbox.statement import ask_rows
from critiql.tools.database.spans import traced_query
from critiql.tools.database.structure import schema_of
from critiql.tools.schema.model import Schema, Table

SAMPLE_ROWS = 3
INTROSPECTION_SECONDS = 20.0
INTROSPECTION_BYTES = 64 * 2**20
LOOK_SECONDS = 0.5
"""Time for one count or one sample; a table too large for it keeps the engine's estimate."""
LOOKS_SECONDS = 4.0
"""Time for all counts and samples of a database together."""
VERSION_SECONDS = 2.0
"""How long a schema is believed before the server is asked, or the file looked at, whether it changed."""
COUNTED_ROWS = 1_000_000
"""A table the engine estimates larger than this is not counted; nor are more rows in one statement."""
COUNTED_TABLES = 50
"""Tables counted by one statement: on a file of 500 tables the statements cost more than the counting."""


Opening = TypeVar("Opening", bound="WorkerDatabase")


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
        """The structure as `check` read it, for the next `schema`: that takes seconds on a wide file."""
        self._structure: Schema | None = None
        """As it was when the schema was read."""
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
        """Tables, columns, keys, comments, row counts and first rows; kept until tables or columns change.

        Raises:
            DatabaseError: the database cannot be reached or holds no table that may be read.
        """
        with self._schema_lock:
            if self._schema is None or self._has_changed():
                self._schema = self._read_schema()
            return self._schema

    def _has_changed(self) -> bool:
        """Whether the database, asked now and then, has other tables or columns than those that were read.

        A file that changed is read again, since most changes are of rows only.
        """
        now = time.monotonic()
        if now - self._looked_at < VERSION_SECONDS:
            return False
        self._looked_at = now
        before, self._version = self._version, self._ask_version() or self._version
        return before != self._version and (self._tells_version or self._has_other_structure())

    def _has_other_structure(self) -> bool:
        """Whether the file holds other tables or columns; False where it cannot be read just now."""
        try:
            found = self.structure()
        except DatabaseError:
            self._version = None  # so that the next look reads it again
            return False
        is_other = found[0] != self._structure
        self._checked = found if is_other else None
        return is_other

    def _ask_version(self) -> str | None:
        """A digest of a server's tables and columns, or of a file's state; None where neither tells now."""
        if not self._tells_version:
            with contextlib.suppress(OSError):
                return file_version(self)
            return None
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
            raise DatabaseError(self._unread(error)) from error
        if "kind" in reply:
            raise DatabaseError(self._unreadable(reply))
        found = schema_of(reply["tables"], self._dialect, self._policy)
        if not found.tables:
            raise DatabaseError(self._empty())
        return found, _estimates(reply["tables"])

    def _unread(self, error: Exception) -> str:
        """The sentence for a structure that no worker could read."""
        return f"{self._url} could not be read: {error}. Check that it answers, then try again."

    def _unreadable(self, reply: dict[str, Any]) -> str:
        """The sentence for a structure that the engine did not give."""
        return f"{self._url} cannot be read: {reply['message']}"

    def _empty(self) -> str:
        """The sentence for a database without tables."""
        return (
            f"{self._url} holds no table that this account may read. "
            "Name another database, or grant SELECT on its tables."
        )

    def check(self) -> None:
        """Read the structure once, without counts and rows; the first `schema` begins with it.

        Raises:
            DatabaseError: as `structure`.
        """
        self._version, self._looked_at = self._ask_version(), time.monotonic()
        self._checked = self.structure()

    def _read_schema(self) -> Schema:
        if self._checked is None:
            self.check()
        (structure, estimates), self._checked = self._checked or self.structure(), None
        self._structure = structure
        deadline = time.monotonic() + LOOKS_SECONDS
        tables = [table for table in structure.tables if not table.is_view]
        counts = {**estimates, **self._counts(tables, estimates, deadline)}
        samples: dict[str, tuple[tuple[object, ...], ...]] = {}
        for table in tables:
            if time.monotonic() > deadline:
                break
            sampled = self.run(self._sample_sql(table), Limits(LOOK_SECONDS, SAMPLE_ROWS))
            if isinstance(sampled, Rows):
                samples[table.name] = sampled.rows
        counted = tuple(replace(table, row_count=counts.get(table.name)) for table in structure.tables)
        return replace(structure, tables=counted, samples=samples)

    def _counts(self, tables: list[Table], estimates: dict[str, int], deadline: float) -> dict[str, int]:
        """Rows of each table that could be counted in time: small ones together, the others one by one."""
        found: dict[str, int] = {}
        for group in _groups(tables, estimates):
            together = self._count(group, deadline) if len(group) > 1 else {}
            found |= together
            for table in group if not together else ():
                found |= self._count([table], deadline)
        return found

    def _count(self, group: list[Table], deadline: float) -> dict[str, int]:
        """Rows of these tables by one statement; nothing where it failed."""
        if time.monotonic() > deadline:
            return {}
        parts = (f"SELECT {n}, count(*) FROM {self._quoted(table.name)}" for n, table in enumerate(group))
        counted = self.run(" UNION ALL ".join(parts), Limits(LOOK_SECONDS))
        if not isinstance(counted, Rows):
            return {}
        return {
            group[number].name: count
            for number, count in counted.rows
            if isinstance(number, int) and isinstance(count, int)
        }

    def _quoted(self, name: str) -> str:
        """The identifier as the engine reads it; control characters stay, which prompts would escape."""
        mark = "`" if self._dialect == "mysql" else '"'
        return mark + name.replace(mark, mark * 2) + mark

    def _sample_sql(self, table: Table) -> str:
        columns = ", ".join(self._quoted(column.name) for column in table.columns)
        return f"SELECT {columns} FROM {self._quoted(table.name)} LIMIT {SAMPLE_ROWS}"


def _groups(tables: list[Table], estimates: dict[str, int]) -> list[list[Table]]:
    """Tables to count by one statement; alone those whose size is not known, and none that is too large."""
    groups: list[list[Table]] = []
    rows = 0
    for table in tables:
        estimate = estimates.get(table.name, COUNTED_ROWS)
        if estimate > COUNTED_ROWS:
            continue
        if not groups or rows + estimate > COUNTED_ROWS or len(groups[-1]) >= COUNTED_TABLES:
            groups, rows = [*groups, []], 0
        groups[-1].append(table)
        rows += estimate
    return groups


def _estimates(raw_tables: list[dict[str, Any]]) -> dict[str, int]:
    return {raw["name"]: raw["rows"] for raw in raw_tables if isinstance(raw.get("rows"), int)}


def opened(database: Opening) -> Opening:
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
