"""The file behind the value index: one SQLite database with the distinct values of the columns read so far.

Values lie in one table with two B-trees, by their folded text and by that text backwards, and text values
also in a contentless FTS5 table of trigrams. One slip of the pen leaves one half of a text as it was, so the
B-trees find it in any number of values; trigrams find what changed in several places.
"""

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from critiql.tools.database.result import Value
from critiql.tools.private_files import make_file, make_folder

_SCHEMA = """
CREATE TABLE IF NOT EXISTS col (id INTEGER PRIMARY KEY, tbl TEXT, name TEXT, next INTEGER DEFAULT 0,
  done INTEGER DEFAULT 0, cut INTEGER DEFAULT 0, UNIQUE (tbl, name));
CREATE TABLE IF NOT EXISTS val (id INTEGER PRIMARY KEY, col INTEGER, folded TEXT, value, backward TEXT,
  UNIQUE (col, folded, value));
CREATE INDEX IF NOT EXISTS val_backward ON val (col, backward);
CREATE VIRTUAL TABLE IF NOT EXISTS gram USING
  fts5(folded, content='', columnsize=0, tokenize='trigram', detail='none');
"""
_LAST = chr(0x10FFFF)


class ColumnState(NamedTuple):
    """How far a column was read."""

    id: int
    next: int
    """The rowid read up to."""
    done: bool
    """Every row was read."""
    cut: bool
    """A value was too long and is not kept whole."""


class Stored(NamedTuple):
    """One value and the column it is in."""

    column: int
    value: Value
    folded: str


def fold(text: str) -> str:
    """How values are compared: without case and with single spaces."""
    return " ".join(text.casefold().split())


class ValueStore:
    """Safe to use from several threads; several processes may share the file, its owner's alone.

    Every method raises what SQLite raises where the file is damaged or the disk full.
    """

    def __init__(self, path: Path | None) -> None:
        """Open the file, or make it; None keeps everything in memory.

        Raises:
            OSError: folder or file cannot be made.
            sqlite3.Error: the file is none of SQLite's, or cannot be written.
        """
        if path is not None:
            make_folder(path.parent)
            make_file(path)
        self.path = path
        self._lock = threading.Lock()
        self._db = sqlite3.connect(
            path or ":memory:", check_same_thread=False, timeout=10, isolation_level=None
        )
        self._db.executescript(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA cache_size=-16000;" + _SCHEMA
        )

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._db:  # commits, or rolls back what did not end well
            self._db.execute("BEGIN IMMEDIATE")
            yield self._db

    def _all(self, sql: str, arguments: Sequence[Value] = ()) -> list[tuple[Value, ...]]:
        with self._lock:
            return self._db.execute(sql, arguments).fetchall()

    def column(self, table: str, name: str) -> ColumnState:
        """The state of a column, entered when it is first asked for."""
        key = (table.casefold(), name.casefold())
        sql = "SELECT id, next, done, cut FROM col WHERE tbl = ? AND name = ?"
        rows = self._all(sql, key)
        if not rows:
            with self._writing() as db:
                db.execute("INSERT OR IGNORE INTO col (tbl, name) VALUES (?, ?)", key)
            rows = self._all(sql, key)
        number, after, done, cut = rows[0]
        return ColumnState(int(number or 0), int(after or 0), bool(done), bool(cut))

    def add(self, column: int, values: Iterable[Value], after: int, done: bool, cut: bool) -> None:
        """Keep the values not kept yet and note how far the column was read."""
        rows = [(column, text, value, text[::-1]) for value in set(values) for text in (fold(str(value)),)]
        with self._writing() as db:
            state = db.execute("SELECT next, done FROM col WHERE id = ?", (column,)).fetchone()
            if state[1] or state[0] > after:
                return  # another process was faster
            before = db.execute("SELECT COALESCE(max(id), 0) FROM val").fetchone()[0]
            db.executemany(
                "INSERT OR IGNORE INTO val (col, folded, value, backward) VALUES (?, ?, ?, ?)", rows
            )
            db.execute(
                "INSERT INTO gram (rowid, folded) SELECT id, folded FROM val"
                " WHERE id > ? AND typeof(value) = 'text'",
                (before,),
            )
            db.execute(
                "UPDATE col SET next = ?, done = ?, cut = max(cut, ?) WHERE id = ?",
                (after, done, cut, column),
            )

    def columns(self) -> list[int]:
        """Numbers of the columns that were entered."""
        return [int(row[0] or 0) for row in self._all("SELECT id FROM col")]

    def values(self, column: int, limit: int) -> list[Value]:
        """Up to `limit` distinct values of a column, in the order of their folded text."""
        sql = "SELECT value FROM val WHERE col = ? ORDER BY folded LIMIT ?"
        return [row[0] for row in self._all(sql, (column, limit))]

    def has(self, column: int, value: Value) -> bool:
        """Whether the column holds exactly this value."""
        sql = "SELECT 1 FROM val WHERE col = ? AND folded = ? AND value IS ?"
        return bool(self._all(sql, (column, fold(str(value)), value)))

    def equal(self, columns: Sequence[int], folded: str, limit: int) -> list[Stored]:
        """Values of these columns that equal the text but for case and spaces."""
        return self._stored(columns, "folded = ? LIMIT ?", (folded, limit))

    def starting(self, columns: Sequence[int], folded: str, limit: int) -> list[Stored]:
        """Values that start with the text."""
        return self._stored(columns, "folded >= ? AND folded < ? LIMIT ?", (folded, folded + _LAST, limit))

    def ending(self, columns: Sequence[int], folded: str, limit: int) -> list[Stored]:
        """Values that end with the text."""
        back = folded[::-1]
        return self._stored(columns, "backward >= ? AND backward < ? LIMIT ?", (back, back + _LAST, limit))

    def sharing(self, trigrams: Sequence[str], limit: int) -> set[int]:
        """Numbers of up to `limit` values of any column that hold all these trigrams."""
        match = " AND ".join('"' + term.replace('"', '""') + '"' for term in trigrams)
        rows = self._all("SELECT rowid FROM gram WHERE gram MATCH ? LIMIT ?", (match, limit))
        return {int(row[0] or 0) for row in rows}

    def read(self, columns: Sequence[int], numbers: Iterable[int]) -> list[Stored]:
        """The values of these numbers that are in these columns."""
        wanted = ",".join(map(str, numbers))
        rows = self._all(f"SELECT col, value, folded FROM val WHERE id IN ({wanted})") if wanted else []
        inside = set(columns)
        return [Stored(int(col or 0), value, str(text)) for col, value, text in rows if col in inside]

    def _stored(self, columns: Sequence[int], where: str, arguments: Sequence[Value]) -> list[Stored]:
        inside = ",".join(map(str, columns))
        rows = self._all(f"SELECT col, value, folded FROM val WHERE col IN ({inside}) AND {where}", arguments)
        return [Stored(int(col or 0), value, str(folded)) for col, value, folded in rows]
