"""Whether a DuckDB file is still the one that was opened. Standard library only."""

from pathlib import Path
from typing import NamedTuple


class FileState(NamedTuple):
    """What must stay the same for an open connection to stay right."""

    device: int
    inode: int
    size: int
    changed: int
    """Nanoseconds."""
    log: int | None
    """Bytes of the write-ahead log beside it; None without one."""


def file_state(path: Path, log: Path) -> FileState:
    """The state of the file that has this name now, and of the log beside it.

    Raises:
        OSError: it is gone or may not be looked at.
    """
    found = path.stat()
    try:
        log_bytes = log.stat().st_size
    except FileNotFoundError:
        log_bytes = None
    return FileState(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, log_bytes)
