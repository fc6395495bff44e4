"""SQLite files that several processes write at once."""

import sqlite3
import time
from contextlib import suppress
from pathlib import Path

from critiql.tools.private_files import OWNER_FOLDER, make_file

PATIENCE = 60.0
"""Seconds to wait for another writer."""
_TRIES = 5
"""Opening fails with an I/O error where the last other process removes its write-ahead files just then."""
_PAUSE = 0.1
"""Seconds between two tries."""


def connect(path: Path | None) -> sqlite3.Connection:
    """Open or make a file in write-ahead mode; None is a database in memory.

    Transactions are begun by hand: one that reads before it writes could not wait for another writer.
    """
    if path is None:
        return sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
    path.parent.mkdir(mode=OWNER_FOLDER, parents=True, exist_ok=True)
    make_file(path)
    for _ in range(_TRIES):
        with suppress(sqlite3.OperationalError):
            return _open(path)
        time.sleep(_PAUSE)
    return _open(path)


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=PATIENCE, check_same_thread=False, isolation_level=None)
    # the mode is kept in the file: when another process is at it, that one sets it
    with suppress(sqlite3.OperationalError):
        connection.execute("pragma journal_mode = wal")
    connection.execute("pragma synchronous = normal")
    return connection
