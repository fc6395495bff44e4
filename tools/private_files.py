"""Files that hold what a database holds: for their owner's eyes only, and never worth a failed question."""

import logging
import os
import sqlite3
from pathlib import Path

OWNER_FOLDER, OWNER_FILE = 0o700, 0o600

DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)

_said: set[str] = set()


def make_folder(folder: Path) -> None:
    """Make a folder that only its owner may look into; one of before becomes such a one.

    Raises:
        OSError: it cannot be made or written to.
    """
    folder.mkdir(mode=OWNER_FOLDER, parents=True, exist_ok=True)
    if folder.stat().st_mode & 0o777 != OWNER_FOLDER:
        folder.chmod(OWNER_FOLDER)


def make_file(file: Path) -> None:
    """Make an empty file that only its owner may read; what one of before holds stays.

    Raises:
        OSError: it cannot be made or changed.
    """
    os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, OWNER_FILE))
    if file.stat().st_mode & 0o777 != OWNER_FILE:
        file.chmod(OWNER_FILE)


def say_once(place: str | Path, why: object, instead: str) -> None:
    """Log that something is done without a cache, once a process and place.

    Args:
        place: the file or folder.
        why: the system's words for it.
        instead: what is done now, as a sentence.
    """
    if str(place) not in _said:
        _said.add(str(place))
        logging.getLogger("critiql").warning("The cache %s cannot be used (%s). %s", place, why, instead)


def is_damaged(error: sqlite3.Error) -> bool:
    """Whether SQLite says that its file is none, or is broken; any other error may pass."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in DAMAGED
