"""Opening a SQLite file read-only without leaving a trace beside it, also in write-ahead mode."""

import sqlite3
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

WAL_VERSION = 2
"""Bytes 18 and 19 of the header of a database in write-ahead mode."""


class FileState(NamedTuple):
    """What must stay the same for an open connection to stay right."""

    size: int
    changed: int
    identity: int
    wal_pending: bool


def file_state(path: str) -> FileState:
    """The file's size, time of change (ns), inode, and whether a non-empty write-ahead log lies beside it.

    Raises:
        OSError: the file is gone or may not be looked at.
    """
    found = Path(path).stat()
    try:
        pending = Path(f"{path}-wal").stat().st_size > 0
    except FileNotFoundError:
        pending = False
    return FileState(found.st_size, found.st_mtime_ns, found.st_ino, pending)


def _is_wal(path: str) -> bool:
    with Path(path).open("rb") as file:
        return WAL_VERSION in file.read(20)[18:20]


def uri_of(path: str, state: FileState) -> str:
    """Read-only URI; a write-ahead database at rest is opened immutable, lest files appear beside it."""
    at_rest = _is_wal(path) and not state.wal_pending
    mode = "immutable=1" if at_rest else "readonly_shm=1"
    return f"file:{quote(path)}?mode=ro&{mode}"


def connect(path: str, state: FileState, busy_seconds: float) -> sqlite3.Connection:
    """A connection that trusts nothing in the file: no functions from its schema, nothing spilled to disk.

    Raises:
        sqlite3.Error: it cannot be opened.
    """
    connection = sqlite3.connect(
        uri_of(path, state), uri=True, isolation_level=None, timeout=busy_seconds, cached_statements=0
    )
    for pragma in (
        "trusted_schema=OFF",
        "query_only=ON",
        "temp_store=MEMORY",
        "mmap_size=0",
        "cell_size_check=ON",
    ):
        connection.execute(f"PRAGMA {pragma}")
    return connection
