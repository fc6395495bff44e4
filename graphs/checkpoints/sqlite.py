"""Checkpoints in a file of SQLite: its owner's only, recognised by its header, locked for each thread."""

import fcntl
import os
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from hashlib import sha256
from pathlib import Path

import aiosqlite
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from critiql.graphs.checkpoints.saver import CheckpointError, Checkpoints, in_use, said
from critiql.graphs.checkpoints.serde import CheckedSerializer

APPLICATION = 0x43514C43
"""`application_id` of our files, "CQLC"; it keeps us from writing into somebody's data."""
FORMAT = 1
"""`user_version` of our files."""
OWNER_ONLY = 0o600
PATIENCE = 30.0
"""Seconds to wait for another thread's writing."""


@asynccontextmanager
async def checkpoints(where: str | Path, thread: str) -> AsyncIterator[Checkpoints]:
    """The checkpoints of a thread in a file.

    Raises:
        CheckpointError: the file is none of ours, cannot be written, or another run has the thread.
    """
    path = Path(str(where).removeprefix("sqlite:///")).expanduser().absolute()
    _ensure_file(path)
    with _alone(path, thread):
        _ensure_ours(path)
        async with aiosqlite.connect(path, timeout=PATIENCE) as connection:
            await connection.execute("PRAGMA secure_delete=ON")  # what is forgotten leaves no bytes behind
            saver = AsyncSqliteSaver(connection, serde=CheckedSerializer())
            yield Checkpoints(saver, thread, str(path), (sqlite3.Error,))


def _ensure_file(path: Path) -> None:
    """Make an empty file where there is none."""
    if path.is_dir():
        msg = f"{path} is a folder. Name a file for the checkpoints, for example {path / 'run.checkpoint'}."
        raise CheckpointError(msg)
    with _file_errors(path):
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, OWNER_ONLY))
        except FileExistsError:
            os.close(os.open(path, os.O_RDWR))


def _ensure_ours(path: Path) -> None:
    """Mark an empty file as ours; refuse one that is something else or of another version."""
    try:
        with closing(sqlite3.connect(path, timeout=PATIENCE)) as connection:
            application, version, pages = (
                connection.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("application_id", "user_version", "page_count")
            )
            if not pages:
                connection.executescript(f"PRAGMA application_id={APPLICATION}; PRAGMA user_version={FORMAT}")
                return
    except (sqlite3.Error, ValueError) as error:  # a damaged name in a message is no text
        msg = f"{path} cannot be used for checkpoints: {said(error)}. Name another file."
        raise CheckpointError(msg) from error
    if application != APPLICATION:
        msg = f"{path} is a database, but none that holds checkpoints of Critiql. Name another file."
        raise CheckpointError(msg)
    if version != FORMAT:
        raise CheckpointError(
            f"{path} holds checkpoints of another version of Critiql ({version}; this one reads {FORMAT}). "
            "Finish the run with that version, or name another file."
        )


@contextmanager
def _alone(path: Path, thread: str) -> Iterator[None]:
    """Hold the thread against other runs. The system lets go of it when the process ends, however it ends."""
    lock = path.with_name(f".{path.name}.{sha256(thread.encode()).hexdigest()[:12]}.lock")
    with _file_errors(path):
        handle = _locked(lock)
    if handle is None:
        raise in_use(thread, str(path))
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)
        os.close(handle)


def _locked(lock: Path) -> int | None:
    """A handle of the locked file; None where somebody else has it."""
    while True:
        handle = os.open(lock, os.O_RDWR | os.O_CREAT, OWNER_ONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if lock.stat().st_ino == os.fstat(handle).st_ino:
                return handle
        except FileNotFoundError:
            pass  # its holder ended and removed it meanwhile
        except BlockingIOError:
            os.close(handle)
            return None
        os.close(handle)


@contextmanager
def _file_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        msg = f"{path} cannot be used for checkpoints: {error.strerror or error}. Name another file."
        raise CheckpointError(msg) from error
