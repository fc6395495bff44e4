"""LookUp(c, D) and value search on disk: the distinct values of a database's columns, read once, in pieces.

A column is read when it is first asked for, a bounded number of seconds at a time; the next question goes on
where the last one stopped. What was read is kept per content version of the database (path, size and time
of change for a file).
"""

import hashlib
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from rapidfuzz import fuzz, process

from critiql.tools.database.content_version import content_version
from critiql.tools.database.engine import Database
from critiql.tools.database.result import Limits, Rows, Value
from critiql.tools.linking.value_store import ColumnState, Stored, ValueStore, fold
from critiql.tools.private_files import is_damaged, say_once
from critiql.tools.schema.model import Column, Table
from critiql.tools.schema.quoting import quote_name
from critiql.tools.settings import settings

T = TypeVar("T")

CHUNK = 20_000
"""Rows read from the database at a time; bounds the memory of reading."""
CELL_BYTES = 1000
"""Longer values are cut and mark their column as not kept whole."""
SECONDS = 1.0
"""Reading time one look-up may spend on a column that was not read yet."""
RARE = 600
"""Values a trigram may stand for and still narrow the search."""
SHORT = 3
"""Least characters of a half that is searched by itself."""
CANDIDATES = 5000
"""Values compared by edit distance in one search."""
GAMMA = 85.0
"""Least similarity (0 to 100) of a fuzzy match."""


@dataclass(frozen=True, slots=True)
class LookUp:
    """Distinct values of a column, NULL left out."""

    values: tuple[Value, ...]
    complete: bool
    """True when these are all of them."""


@dataclass(frozen=True, slots=True)
class ValueMatch:
    """A stored value that a text may mean."""

    table: str
    column: str
    value: Value
    score: float
    """100 for a text equal but for case and spaces, else the edit similarity."""


class ValueIndex:
    """The value index of one database. Safe to use from several threads."""

    def __init__(self, database: Database, store: ValueStore) -> None:
        self._database = database
        self._store = store
        self._names: dict[int, tuple[Table, Column]] = {}

    def __enter__(self) -> "ValueIndex":
        """Itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self.close()

    def close(self) -> None:
        """Close the file; the database stays open."""
        self._store.close()

    def distinct(self, table: str, column: str) -> tuple[Value, ...] | None:
        """All distinct values but NULL; None when the column has no rows or was read in part."""
        found = self.look_up(table, column)
        return found.values if found.complete and found.values else None

    def look_up(self, table: str, column: str, limit: int = CHUNK, seconds: float = SECONDS) -> LookUp:
        """Up to `limit` distinct values of a column, with whether these are all.

        An unknown column, or one the access policy hides, has no values and is not complete.
        """
        place = self._place(table, column)
        if place is None:
            return LookUp((), False)

        def look() -> LookUp:
            state = self._read(*place, time.monotonic() + seconds)
            values = self._store.values(state.id, limit + 1)
            whole = state.done and not state.cut and len(values) <= limit
            return LookUp(tuple(values[:limit]), whole)

        return self._kept(look)

    def holds(self, table: str, column: str, value: Value, seconds: float = SECONDS) -> bool | None:
        """Whether the column holds exactly this value; None when that is not known."""
        place = self._place(table, column)
        if place is None:
            return None

        def look() -> bool | None:
            state = self._read(*place, time.monotonic() + seconds)
            if self._store.has(state.id, value):
                return True
            return False if state.done and not state.cut else None

        return self._kept(look)

    def search(
        self,
        text: str,
        table: str,
        column: str,
        limit: int = 5,
        gamma: float = GAMMA,
        seconds: float = SECONDS,
    ) -> list[ValueMatch]:
        """The column's values that are equal to the text, start with it or are similar to it, best first."""
        place = self._place(table, column)
        if place is None:
            return []

        def look() -> list[ValueMatch]:
            state = self._read(*place, time.monotonic() + seconds)
            return self._matches(text, limit, gamma, [state.id])

        return self._kept(look)

    def find(self, text: str, limit: int = 5, gamma: float = GAMMA) -> list[ValueMatch]:
        """The same over all columns that were read; see `read_all`."""
        return self._kept(lambda: self._matches(text, limit, gamma, self._store.columns()))

    def read_all(self, seconds: float = 2.0) -> bool:
        """Read the text columns of every table within that time; True when all were read."""
        return self._kept(lambda: self._read_columns(time.monotonic() + seconds))

    def _read_columns(self, deadline: float) -> bool:
        done = True
        for table in self._database.schema().tables:
            for column in table.columns:
                if may_hold_text(column) and not table.is_view:
                    done &= self._read(table, column, deadline).done
        return done

    def _kept(self, work: Callable[[], T]) -> T:
        """Do something with the file; where it fails, in memory instead, from the beginning."""
        try:
            return work()
        except sqlite3.Error as error:
            if self._store.path is None:
                raise
            _say_without(self._store.path, error)
            self._store.close()
            if is_damaged(error):
                _remove(self._store.path)
            self._store, self._names = ValueStore(None), {}
            return work()

    def _place(self, table: str, column: str) -> tuple[Table, Column] | None:
        """The column as the schema has it; what the schema hides is not looked at."""
        found = self._database.schema().table(table)
        inner = found.column(column) if found else None
        return (found, inner) if found and inner else None

    def _state(self, table: Table, column: Column) -> ColumnState:
        state = self._store.column(table.name, column.name)
        self._names[state.id] = (table, column)
        return state

    def _read(self, table: Table, column: Column, deadline: float) -> ColumnState:
        state = self._state(table, column)
        while not state.done and time.monotonic() < deadline:
            if not self._read_piece(table, column, state, deadline):
                break
            state = self._state(table, column)
        return state

    def _read_piece(self, table: Table, column: Column, state: ColumnState, deadline: float) -> bool:
        """Read the next rows into the store; False when the database gives none."""
        rowid = next((name for name in ("rowid", "_rowid_", "oid") if name not in table.by_name), None)
        paged = self._database.dialect == "sqlite" and not table.is_view and rowid is not None
        sql = (
            _page(table, column, str(rowid), state.next)
            if paged
            else _whole(table, column, self._database.dialect)
        )
        limits = Limits(max(0.05, deadline - time.monotonic()), CHUNK, 16_000_000, CELL_BYTES)
        result = self._database.run(sql, limits)
        if not isinstance(result, Rows):
            whole = _whole(table, column, self._database.dialect)
            result = self._database.run(whole, limits) if paged and state.next == 0 else result
            paged = False
        if not isinstance(result, Rows):
            return False
        values = [row[0] for row in result.rows if row[0] is not None and not isinstance(row[0], bytes)]
        cut = any(isinstance(value, str) and len(value.encode()) >= CELL_BYTES - 4 for value in values)
        blobs = any(isinstance(row[0], bytes) for row in result.rows)
        after = int(result.rows[-1][1] or 0) if paged and result.rows else state.next
        done = not result.rows or (len(result.rows) < CHUNK and not result.truncated) if paged else True
        missing = not paged and len(result.rows) >= CHUNK
        self._store.add(
            state.id, values, after, done, cut or blobs or missing or (not paged and result.truncated)
        )
        return True

    def _matches(self, text: str, limit: int, gamma: float, columns: Sequence[int]) -> list[ValueMatch]:
        folded = fold(text)
        if not folded or not columns:
            return []
        scored = dict.fromkeys(self._store.equal(columns, folded, limit), 100.0)
        if len(scored) < limit:
            scored = dict(self._similar(folded, limit, gamma, columns)) | scored
        matches = [match for each, score in scored.items() if (match := self._match(each, score))]
        return sorted(matches, key=lambda match: -match.score)[:limit]

    def _match(self, stored: Stored, score: float) -> ValueMatch | None:
        place = self._name(stored.column)
        return ValueMatch(place[0].name, place[1].name, stored.value, score) if place else None

    def _name(self, column: int) -> tuple[Table, Column] | None:
        """Table and column of a number; columns another process read are looked up once."""
        if column not in self._names:
            for table in self._database.schema().tables:
                for each in table.columns:
                    self._state(table, each)
        return self._names.get(column)

    def _similar(
        self, folded: str, limit: int, gamma: float, columns: Sequence[int]
    ) -> list[tuple[Stored, float]]:
        """Values close to the text: by rare trigrams, by either half, else by several trigrams at once."""
        trigrams = list(dict.fromkeys(folded[i : i + 3] for i in range(len(folded) - 2)))
        hits = {trigram: self._store.sharing([trigram], RARE) for trigram in trigrams}
        shared = Counter(number for numbers in hits.values() if len(numbers) < RARE for number in numbers)
        stored = self._store.read(columns, [number for number, _ in shared.most_common(CANDIDATES)])
        frequent = [trigram for trigram, numbers in hits.items() if len(numbers) >= RARE]
        if frequent:
            half = max(SHORT, len(folded) // 2)
            stored += self._store.starting(columns, folded[:half], RARE)
            stored += self._store.ending(columns, folded[-half:], RARE)
        found = _close(folded, stored, limit, gamma)
        if not found and frequent:
            numbers = {number for group in _thirds(frequent) for number in self._store.sharing(group, RARE)}
            found = _close(folded, self._store.read(columns, numbers), limit, gamma)
        return found


def _close(folded: str, stored: Sequence[Stored], limit: int, gamma: float) -> list[tuple[Stored, float]]:
    texts = [each.folded for each in stored]
    scored = process.extract(folded, texts, scorer=fuzz.ratio, score_cutoff=gamma, limit=limit)
    return [(stored[position], float(score)) for _, score, position in scored]


def _thirds(trigrams: Sequence[str]) -> list[Sequence[str]]:
    """Three groups of neighbouring trigrams: two slips leave one of them as it was."""
    size = -(-len(trigrams) // 3)
    return [trigrams[i : i + size] for i in range(0, len(trigrams), size)]


def may_hold_text(column: Column) -> bool:
    """By SQLite's affinity rules and the usual type names of the other engines."""
    kind = column.type.upper()
    return not kind or any(word in kind for word in ("CHAR", "CLOB", "TEXT", "STRING", "ENUM"))


def _page(table: Table, column: Column, rowid: str, after: int) -> str:
    name, source = quote_name(column.name, "sqlite"), quote_name(table.name, "sqlite")
    return f"SELECT {name}, {rowid} FROM {source} WHERE {rowid} > {after} ORDER BY {rowid} LIMIT {CHUNK}"


def _whole(table: Table, column: Column, dialect: str) -> str:
    name, source = quote_name(column.name, dialect), quote_name(table.name, dialect)
    return f"SELECT DISTINCT {name} FROM {source} WHERE {name} IS NOT NULL LIMIT {CHUNK}"


def open_value_index(database: Database, folder: Path | None = None) -> ValueIndex:
    """The value index of a database, in `folder` (by default `values` in the cache of the settings).

    It holds only columns that this database's policy shows: one under another policy has a file of its own.
    Indexes of the same database's older contents are removed. A damaged file is made again; where none can
    be written the index is kept in memory, which is logged once.
    """
    folder = folder or settings().cache / "values"
    shown = [(table.name, *table.by_name) for table in database.schema().tables]
    place, visible = _digest(database.url), _digest(shown)
    content = f"{place}-{content_version(database)}-"
    path = folder / f"{content}{visible}.sqlite"
    try:
        for old in folder.glob(f"{place}-*"):
            if not old.name.startswith(content):
                old.unlink(missing_ok=True)
        return ValueIndex(database, _store(path))
    except (OSError, sqlite3.Error) as error:
        _say_without(path, error)
        return ValueIndex(database, ValueStore(None))


def _store(path: Path) -> ValueStore:
    """The file, made again where it is damaged."""
    try:
        return ValueStore(path)
    except sqlite3.DatabaseError as error:
        if not is_damaged(error):
            raise
    _remove(path)
    say_once(path, "it was damaged", "It was made again.")
    return ValueStore(path)


def _remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _say_without(path: Path, error: Exception) -> None:
    why = (error.strerror if isinstance(error, OSError) else None) or error
    say_once(path.parent, why, "Values are read from the database each time.")


def _digest(what: object) -> str:
    """16 hex digits."""
    return hashlib.sha256(repr(what).encode("utf-8", "surrogatepass")).hexdigest()[:16]
