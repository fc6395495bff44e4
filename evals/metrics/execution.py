"""Running a query of an evaluation: never on a writable file, whatever the query says.

Clean runs are read-only with a working deadline. Compat runs give what a plain `sqlite3.connect` would give,
without its damage: a query that is more than a read runs again on a copy in memory.
"""

import sqlite3
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from critiql.evals.metrics.query_text import replace_current_year
from critiql.tools.database.result import ErrorKind, Failure

Cells = tuple[object, ...]

_READS = {
    sqlite3.SQLITE_SELECT,
    sqlite3.SQLITE_READ,
    sqlite3.SQLITE_FUNCTION,
    sqlite3.SQLITE_RECURSIVE,
}
_LENGTH_LIMIT = 50_000_000
"""Bytes of one cell or statement in a clean run; one call can build a cell without a step of the deadline."""
_STEPS = 2000
"""Virtual machine steps between two looks at the clock."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """Rows of a statement that ran."""

    rows: tuple[Cells, ...]
    more: bool = False
    """True when the statement had more rows than were asked for."""
    seconds: float = 0.0
    """Time to run and fetch, opening the file left out."""


def run_clean(
    database: Path, sql: str, *, seconds: float | None, at_most: int | None = None
) -> Fetched | Failure:
    """Run one reading statement under a deadline.

    Args:
        database: SQLite file, opened read-only.
        sql: what to run.
        seconds: wall-clock limit, None for no limit.
        at_most: fetch no more rows than this.

    Returns:
        The rows, or a `Failure`: `denied` for what is no read, `empty` for no query, `timeout`, `other`.
    """
    started = time.perf_counter()
    refused: list[int] = []
    with closing(_connect_read_only(database)) as connection:
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LENGTH_LIMIT)
        connection.set_authorizer(_read_guard(refused))
        if seconds is not None:
            ends = started + seconds
            connection.set_progress_handler(lambda: time.perf_counter() > ends, _STEPS)
        fetched = _execute(connection, sql, at_most, empty_is_failure=True)
    if isinstance(fetched, Failure) and refused:
        return Failure("denied", "only SELECT may run here", time.perf_counter() - started)
    return fetched


def run_compat(database: Path, sql: str, *, at_most: int | None = None) -> Fetched | Failure:
    """Run a statement as the official script would, on a private copy when it is more than a read."""
    sql = replace_current_year(sql)
    refused: list[int] = []
    with closing(_connect_read_only(database)) as connection:
        connection.set_authorizer(_read_guard(refused))
        fetched = _execute(connection, sql, at_most)
        if not refused:
            return fetched
        connection.set_authorizer(None)
        return _run_on_copy(connection, sql, at_most)


def _run_on_copy(connection: sqlite3.Connection, sql: str, at_most: int | None) -> Fetched | Failure:
    refused: list[int] = []
    with closing(sqlite3.connect(":memory:")) as copy:
        connection.backup(copy)
        copy.text_factory = _decode
        copy.set_authorizer(_file_guard(refused))
        result = _execute(copy, sql, at_most)
    # officially the file is opened or written, and the result is empty
    return Fetched(()) if refused else result


def _connect_read_only(database: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)
    connection.text_factory = _decode
    return connection


def _decode(text: bytes) -> str:
    return text.decode(errors="ignore")


def _read_guard(refused: list[int]) -> Callable[..., int]:
    def guard(action: int, *_: str | None) -> int:
        if action in _READS:
            return sqlite3.SQLITE_OK
        refused.append(action)
        return sqlite3.SQLITE_DENY

    return guard


def _file_guard(refused: list[int]) -> Callable[..., int]:
    """Let everything happen to the copy but opening a file: ATTACH and VACUUM INTO of one are refused."""

    def guard(action: int, name: str | None, *_: str | None) -> int:
        # a plain VACUUM attaches a nameless temporary database
        if action != sqlite3.SQLITE_ATTACH or name in {"", ":memory:"}:
            return sqlite3.SQLITE_OK
        refused.append(action)
        return sqlite3.SQLITE_DENY

    return guard


def _execute(
    connection: sqlite3.Connection, sql: str, at_most: int | None, *, empty_is_failure: bool = False
) -> Fetched | Failure:
    started = time.perf_counter()
    try:
        cursor = connection.execute(sql)
        if empty_is_failure and cursor.description is None:
            return Failure("empty", "the text holds no query", time.perf_counter() - started)
        rows = cursor.fetchall() if at_most is None else cursor.fetchmany(at_most + 1)
    except (sqlite3.Error, sqlite3.Warning, ValueError, OverflowError, MemoryError) as error:
        return Failure(_kind(error), str(error), time.perf_counter() - started)
    more = at_most is not None and len(rows) > at_most
    return Fetched(tuple(rows[:at_most]), more, time.perf_counter() - started)


def _kind(error: Exception) -> ErrorKind:
    if isinstance(error, MemoryError):
        return "memory"
    if str(error) == "interrupted":
        return "timeout"
    return "several_statements" if "one statement" in str(error) else "other"


class GoldResults:
    """Results of gold queries, kept because suites are run again and again; bounded by their cells.

    Safe to use from several threads.
    """

    def __init__(self, cells: int = 4_000_000) -> None:
        self._bound = cells
        self._cells = 0
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[object, ...], Fetched | Failure] = OrderedDict()

    def get(self, database: Path, sql: str, run: Callable[[], Fetched | Failure]) -> Fetched | Failure:
        """The result of `sql`, run once for each state of the file."""
        stat = database.stat()
        key = (str(database), stat.st_mtime_ns, stat.st_size, sql)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        result = run()
        self._keep(key, result)
        return result

    def _keep(self, key: tuple[object, ...], result: Fetched | Failure) -> None:
        with self._lock:
            if key in self._kept or _cells(result) > self._bound // 8:
                return
            self._kept[key] = result
            self._cells += _cells(result)
            while self._cells > self._bound:
                _, old = self._kept.popitem(last=False)
                self._cells -= _cells(old)


def _cells(result: Fetched | Failure) -> int:
    """Cells of a result; an empty one counts as one."""
    return 1 if isinstance(result, Failure) or not result.rows else len(result.rows) * len(result.rows[0])
