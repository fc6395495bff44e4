"""Whether a database's content is what it was: a digest that changes with it."""

from hashlib import sha256
from pathlib import Path

from critiql.tools.database.engine import Database

FILES = ("sqlite:///", "duckdb:///")
"""What the URL of a database in a file begins with."""
BESIDE = ("", "-wal", ".wal")
"""The file itself, and the write-ahead log of either engine."""


def file_version(database: Database) -> str | None:
    """Digest of path, size and time of change of a database's file and its log; None for a server."""
    scheme = next((scheme for scheme in FILES if database.url.startswith(scheme)), None)
    if scheme is None:
        return None
    path = database.url.removeprefix(scheme)
    return _digest([database.url, *(_state(Path(path + suffix)) for suffix in BESIDE)])


def content_version(database: Database) -> str:
    """As `file_version`; for a server, where no file tells, of its URL, tables, columns and row counts."""
    tables = database.schema().tables
    return file_version(database) or _digest(
        [database.url, *((table.name, table.row_count, *table.by_name) for table in tables)]
    )


def _state(path: Path) -> tuple[int, int] | None:
    """Bytes, and time of change in nanoseconds; None where there is no such file."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_size, found.st_mtime_ns


def _digest(parts: list[object]) -> str:
    """24 hex digits."""
    return sha256(repr(parts).encode("utf-8", "surrogatepass")).hexdigest()[:24]
