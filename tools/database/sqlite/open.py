"""SQLite behind the database interface: every statement runs in a worker, under an authorizer and limits."""

import os
import re
from pathlib import Path
from typing import Any

from critiql.tools.database.database import INTROSPECTION_SECONDS, WorkerDatabase, opened
from critiql.tools.database.engine import DatabaseError
from critiql.tools.database.guard.policy import AccessPolicy
from critiql.tools.database.sandbox.pool import WorkerSpec, WorkerTimeoutError

PREFIX = re.compile(r"^sqlite(?:\+[a-z0-9_]+)?:///", re.IGNORECASE)
"""What stands before the path in SQLAlchemy's URLs."""


def check_file(path: Path) -> None:
    """Look at the file without opening it: closing it would drop locks that this process may hold on it.

    Raises:
        DatabaseError: it is missing, a folder, or not readable.
    """
    try:
        is_folder, exists = path.is_dir(), path.exists()
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror}. Let this user look into its folder."
        raise DatabaseError(msg) from None
    if is_folder:
        msg = f"{path} is a folder. Name a SQLite file in it."
        raise DatabaseError(msg)
    if not exists:
        msg = f"There is no file {path}. Check the path; Critiql reads databases and never creates one."
        raise DatabaseError(msg)
    if not path.is_file():
        msg = f"{path} is no regular file but a pipe or a device. Name a SQLite file."
        raise DatabaseError(msg)
    if not os.access(path, os.R_OK):
        msg = f"{path} cannot be read: permission denied. Let this user read the file and its folder."
        raise DatabaseError(msg)


class SqliteDatabase(WorkerDatabase):
    """One SQLite file, read-only. Safe under threads; up to `workers` statements run at once."""

    def __init__(self, path: Path, policy: AccessPolicy | None = None, workers: int = 4) -> None:
        self._path = path
        options = {"path": os.fspath(path), "policy": (policy or AccessPolicy()).as_options()}
        spec = WorkerSpec("critiql.tools.database.sqlite.session", options)
        super().__init__(f"sqlite:///{path}", "sqlite", spec, policy, workers)

    def _unread(self, error: Exception) -> str:
        if isinstance(error, WorkerTimeoutError):
            return (
                f"The structure of {self._path} was not read in {INTROSPECTION_SECONDS:g} s. "
                "It is very large, or the machine is busy: try again, or name a smaller copy."
            )
        return f"The structure of {self._path} could not be read: {error}. The file may be damaged."

    def _unreadable(self, reply: dict[str, Any]) -> str:
        return _explain(self._path, reply["kind"], reply["message"])

    def _empty(self) -> str:
        return f"{self._path} holds no table that may be read. Name a database with tables."


def _explain(path: Path, kind: str, message: str) -> str:
    if kind == "locked":
        return f"{path} is locked by another program ({message}). Try again when it has finished writing."
    if "not a database" in message:
        return (
            f"{path} is not a SQLite database, or it is encrypted. Name a SQLite 3 file, or decrypt it first."
        )
    if "malformed" in message:
        return f"{path} is damaged: {message}. Try `sqlite3 FILE .recover` on a copy."
    if Path(f"{path}-wal").exists() or Path(f"{path}-journal").exists():
        return (
            f"{path} cannot be read as it is: {message}. A program that wrote it did not finish: "
            "open it once with `sqlite3 FILE .tables` so that SQLite recovers it."
        )
    return f"{path} cannot be read: {message}."


def open_sqlite(url: str, policy: AccessPolicy | None = None) -> SqliteDatabase:
    """The database at a path or `sqlite:///path`, checked.

    Raises:
        DatabaseError: it cannot be read or holds no table.
    """
    path = Path(PREFIX.sub("", url)).expanduser().absolute()
    check_file(path)
    return opened(SqliteDatabase(path, policy))
