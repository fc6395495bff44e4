"""DuckDB behind the database interface: read-only, configuration locked, in a killable process."""

from importlib.util import find_spec
from pathlib import Path

from critiql.tools.database.database import WorkerDatabase, opened
from critiql.tools.database.engine import DatabaseError
from critiql.tools.database.guard.policy import AccessPolicy
from critiql.tools.database.sandbox.pool import MEGABYTE, WorkerSpec

MAGIC = b"DUCK"
MAGIC_AT = 8
"""Where a DuckDB file says what it is (duckdb.org, Storage Versions and Format)."""
MEMORY_BYTES = 1024 * MEGABYTE
"""Address space of the process. The engine's own limit is 256 MB; strings it does not count end here."""
OPEN_FILES = 64


def check_file(path: Path) -> None:
    """Look at the file before the engine does.

    Raises:
        DatabaseError: it is missing, a folder, not readable, or not a DuckDB database.
    """
    try:
        if path.is_dir():
            msg = f"{path} is a folder. Name a DuckDB file in it."
            raise DatabaseError(msg)
        if path.exists() and not path.is_file():
            msg = f"{path} is no regular file but a pipe or a device. Name a DuckDB file."
            raise DatabaseError(msg)
        with path.open("rb") as file:
            head = file.read(MAGIC_AT + len(MAGIC))
    except FileNotFoundError:
        msg = f"There is no file {path}. Check the path; Critiql reads databases and never creates one."
        raise DatabaseError(msg) from None
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror}. Let this user read the file and its folder."
        raise DatabaseError(msg) from None
    if head[MAGIC_AT:] != MAGIC:
        msg = f"{path} is not a DuckDB database. Name a file that DuckDB wrote."
        raise DatabaseError(msg)


def _path(url: str) -> Path:
    text = url.partition(":")[2] if url.lower().startswith("duckdb:") else url
    text = text.partition("?")[0]
    if text.startswith("///"):
        text = text[3:]
    if not text or text == ":memory:":
        msg = "A DuckDB database in memory has no tables to ask about. Write duckdb:///PATH."
        raise DatabaseError(msg)
    return Path(text).expanduser().absolute()


def open_duckdb(url: str, policy: AccessPolicy | None = None) -> WorkerDatabase:
    """The database at `duckdb:PATH` or `duckdb:///PATH`, checked.

    Raises:
        DatabaseError: it cannot be read or holds no table.
    """
    if find_spec("duckdb") is None:
        raise ModuleNotFoundError(name="duckdb")
    path = _path(url)
    check_file(path)
    options = {"path": str(path), "policy": (policy or AccessPolicy()).as_options()}
    spec = WorkerSpec(
        "critiql.tools.database.duckdb.session",
        options,
        MEMORY_BYTES,
        open_files=OPEN_FILES,
        needs_site=True,
    )
    return opened(WorkerDatabase(f"duckdb:///{path}", "duckdb", spec, policy))
