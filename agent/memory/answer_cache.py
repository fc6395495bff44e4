"""What earlier runs chose, in one SQLite file of the cache folder: queries and their standing, never rows.

Several processes may share the file. One that is damaged counts as empty and is made anew; where none can be
written nothing is remembered, which is no error.
"""

import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from critiql.agent.evidence import Candidate, Origin, Verdict
from critiql.tools.private_files import OWNER_FOLDER, is_damaged, make_file, say_once
from critiql.tools.settings import settings

MOST = 10_000
"""Answers kept; the oldest go first."""
PATIENCE = 5.0
"""Seconds to wait for another process."""

T = TypeVar("T")


class Chosen(BaseModel):
    """The incumbent a run ended with."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sql: str
    origin: Origin
    p_true: float | None
    verdict: Verdict
    confidence: float | None

    @classmethod
    def of(cls, incumbent: Candidate, confidence: float | None) -> "Chosen":
        """What is remembered of an incumbent."""
        return cls(
            sql=incumbent["sql"],
            origin=incumbent["origin"],
            p_true=incumbent.get("p_true"),
            verdict=incumbent.get("verdict", "unknown"),
            confidence=confidence,
        )


def recall(key: str) -> Chosen | None:
    """What was chosen under this key; None where nothing is known."""
    sql = "SELECT seal, chosen FROM answer WHERE key = ?"
    row = _with_file(lambda db: db.execute(sql, (key,)).fetchone())
    if row is None or row[0] != _seal(key, str(row[1])):
        return None
    with suppress(ValidationError):
        return Chosen.model_validate_json(row[1])
    return None


def remember(key: str, chosen: Chosen) -> None:
    """Keep what was chosen, in place of what was known under the key."""
    text = chosen.model_dump_json()

    def write(db: sqlite3.Connection) -> None:
        db.execute("INSERT OR REPLACE INTO answer VALUES (?, ?, ?)", (key, _seal(key, text), text))
        db.execute("DELETE FROM answer WHERE rowid <= (SELECT max(rowid) FROM answer) - ?", (MOST,))

    _with_file(write)


def forget(key: str) -> None:
    """Drop what is known under the key."""
    _with_file(lambda db: db.execute("DELETE FROM answer WHERE key = ?", (key,)))


def path_of_cache() -> Path:
    """The file."""
    return settings().cache / "answers.sqlite"


def _with_file(work: Callable[[sqlite3.Connection], T]) -> T | None:
    """Do something with the file, anew once where it is damaged; None where it cannot be done."""
    path = path_of_cache()
    try:
        try:
            return _done(path, work)
        except sqlite3.DatabaseError as error:
            if not is_damaged(error):
                raise
        for each in (path, path.with_name(path.name + "-journal")):
            each.unlink(missing_ok=True)
        say_once(path, "it was damaged", "It was made again.")
        return _done(path, work)
    except (OSError, sqlite3.Error) as error:
        why = (error.strerror if isinstance(error, OSError) else None) or error
        say_once(path, why, "No answer is remembered.")
        return None


def _done(path: Path, work: Callable[[sqlite3.Connection], T]) -> T:
    """Open the file, its owner's alone, and do it in one transaction."""
    path.parent.mkdir(mode=OWNER_FOLDER, parents=True, exist_ok=True)
    make_file(path)
    with closing(sqlite3.connect(path, timeout=PATIENCE, isolation_level="IMMEDIATE")) as db, db:
        db.execute("PRAGMA synchronous = OFF")
        db.execute("CREATE TABLE IF NOT EXISTS answer (key TEXT PRIMARY KEY, seal TEXT, chosen TEXT)")
        return work(db)


def _seal(key: str, text: str) -> str:
    """Digest of an entry: SQLite does not see when a text in it has changed."""
    return sha256(f"{key}\n{text}".encode()).hexdigest()
