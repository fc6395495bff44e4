"""Opening a SQLite file read-only without leaving a trace beside it, also in write-ahead mode."""

import errno
import os
import sqlite3
from itertools import islice
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

WAL_VERSION = 2
"""Bytes 18 and 19 of the header of a database in write-ahead mode."""


NAMES_LOOKED_AT = 20_000
"""Files of a folder among which another name of a database is looked for."""


class FileState(NamedTuple):
    """What must stay the same for an open connection to stay right."""

    size: int
    changed: int
    """Nanoseconds."""
    device: int
    inode: int
    name: str
    """The path beside which its log lies: links resolved, and of several names the one in use."""
    is_live: bool
    """Whether a program has it open in write-ahead mode, or left its log behind."""
    has_hidden_names: bool
    """Whether it has names elsewhere (hard links), under which it may be in use unseen."""


def file_state(path: str) -> FileState:
    """The state of the file that has this name now.

    Raises:
        OSError: the file is gone or may not be looked at.
    """
    name = os.path.realpath(path)
    found = Path(name).stat()
    names = [name] if found.st_nlink == 1 else _names_beside(name, found)
    live = [each for each in names if _is_live(each)]
    return FileState(
        found.st_size,
        found.st_mtime_ns,
        found.st_dev,
        found.st_ino,
        live[0] if live else name,
        bool(live),
        found.st_nlink > len(names),
    )


def _names_beside(name: str, found: os.stat_result) -> list[str]:
    """The names of the file in its folder."""
    with os.scandir(Path(name).parent) as entries:
        return [entry.path for entry in islice(entries, NAMES_LOOKED_AT) if entry.inode() == found.st_ino]


def _is_live(name: str) -> bool:
    if Path(f"{name}-shm").exists():
        return True
    try:
        return Path(f"{name}-wal").stat().st_size > 0
    except FileNotFoundError:
        return False


def _is_wal(path: str) -> bool:
    with Path(path).open("rb") as file:
        return WAL_VERSION in file.read(20)[18:20]


def uri_of(state: FileState) -> str:
    """Read-only URI; a write-ahead database at rest is opened immutable, lest files appear beside it.

    Raises:
        OSError: it is in write-ahead mode and may be in use under a name that is not seen from here.
    """
    at_rest = not state.is_live and _is_wal(state.name)
    if at_rest and state.has_hidden_names:
        reason = "it has another name (a hard link) in another folder, under which it may be in use; copy it"
        raise OSError(errno.EMLINK, reason)
    mode = "immutable=1" if at_rest else "readonly_shm=1"
    return f"file:{quote(state.name)}?mode=ro&{mode}"


def connect(state: FileState, busy_seconds: float) -> sqlite3.Connection:
    """A connection that trusts nothing in the file: no functions from its schema, nothing spilled to disk.

    Raises:
        sqlite3.Error: it cannot be opened.
        OSError: it may not be opened.
    """
    connection = sqlite3.connect(
        uri_of(state), uri=True, isolation_level=None, timeout=busy_seconds, cached_statements=0
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
