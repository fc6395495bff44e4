"""Opening a database by path or URL; each engine is imported when it is first asked for."""

import importlib
import re
import threading
from collections import OrderedDict
from os import fspath
from pathlib import Path

from critiql.tools.database.engine import Database, DatabaseError
from critiql.tools.database.guard.policy import AccessPolicy

OPENERS = {
    "sqlite": "critiql.tools.database.sqlite.open:open_sqlite",
    "postgresql": "critiql.tools.database.postgres.open:open_postgres",
    "postgres": "critiql.tools.database.postgres.open:open_postgres",
    "duckdb": "critiql.tools.database.duckdb.open:open_duckdb",
    "mysql": "critiql.tools.database.mysql.open:open_mysql",
    "mariadb": "critiql.tools.database.mysql.open:open_mysql",
}
"""Scheme to `module:function`; each function takes the URL and an optional policy."""
EXTRAS = {
    "postgresql": "postgres",
    "postgres": "postgres",
    "duckdb": "duckdb",
    "mysql": "mysql",
    "mariadb": "mysql",
}
"""The optional dependency that brings a scheme's driver."""
SCHEME = re.compile(r"^(?P<scheme>[a-z][a-z0-9]+)(?:\+[a-z0-9_]+)?:(?!\\)", re.IGNORECASE)
FILES = ("sqlite", "duckdb")
"""Schemes of databases that are a file."""
KEPT = 16
"""Databases that `get_database` keeps open."""


def open_database(url: str | Path, policy: AccessPolicy | None = None) -> Database:
    """A database opened read-only.

    Args:
        url: A path to a SQLite file, or `sqlite:///PATH`, `postgresql://...`, `duckdb:PATH`, `mysql://...`.
        policy: Tables and columns that may be read; all when None.

    Raises:
        DatabaseError: unknown scheme, missing driver, or the database cannot be read.
    """
    text, scheme = fspath(url), _scheme_of(url)
    if scheme not in OPENERS:
        known = ", ".join(sorted(OPENERS))
        msg = f"No engine is known for {scheme}: URLs. Give a path to a SQLite file or one of: {known}."
        raise DatabaseError(msg)
    if not text.strip():
        msg = "No database was named. Give a path to a SQLite file or a database URL."
        raise DatabaseError(msg)
    return _open(scheme, text, policy)


def _scheme_of(url: str | Path) -> str:
    """What stands before the colon of a URL; `sqlite` for a path, also for one that looks like a URL."""
    text = fspath(url)
    found = None if isinstance(url, Path) or _is_file(text) else SCHEME.match(text)
    return found["scheme"].lower() if found else "sqlite"


def _is_file(text: str) -> bool:
    """Whether a file has that name, though it may look like a URL."""
    try:
        return Path(text).is_file()
    except OSError:  # longer than a file's name can be, or in a closed folder
        return False


def _open(scheme: str, url: str, policy: AccessPolicy | None) -> Database:
    module, function = OPENERS[scheme].split(":")
    try:
        database: Database = getattr(importlib.import_module(module), function)(url, policy)
    except ModuleNotFoundError as error:
        extra = EXTRAS[scheme]
        msg = f"The driver for {scheme} is not installed ({error.name}). Run: pip install 'critiql[{extra}]'"
        raise DatabaseError(msg) from error
    return database


_kept: OrderedDict[tuple[str, AccessPolicy | None], Database] = OrderedDict()
_lock = threading.Lock()


def _place(url: str | Path) -> str:
    """A path as the URL that its database has once it is open, so that both names find the same one."""
    text, scheme = fspath(url), _scheme_of(url)
    if scheme not in FILES or "://" in text:
        return text
    path = text if scheme == "sqlite" else text.partition(":")[2]
    return f"{scheme}:///{Path(path).expanduser().absolute()}"


def get_database(url: str | Path, policy: AccessPolicy | None = None) -> Database:
    """As `open_database`, kept for the process; the least recently used beyond sixteen is closed.

    A closed database opens itself again when somebody still uses it.

    Raises:
        DatabaseError: as `open_database`.
    """
    key = (_place(url), policy)
    with _lock:
        if key not in _kept:
            _kept[key] = open_database(url, policy)
        _kept.move_to_end(key)
        evicted = _kept.popitem(last=False)[1] if len(_kept) > KEPT else None
        database = _kept[key]
    if evicted is not None:
        evicted.close()
    return database


def close_databases() -> None:
    """Close and forget every database that `get_database` keeps."""
    with _lock:
        databases = list(_kept.values())
        _kept.clear()
    for database in databases:
        database.close()
