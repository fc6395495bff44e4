"""Reading the structure of a SQLite file in the worker: tables, columns, keys. Standard library only."""

import contextlib
import sqlite3
from typing import Any

from critiql.tools.database.sqlite.virtual import read_virtual_tables

GENERATED = (0, 2, 3)
"""`hidden` values of ordinary and generated columns; 1 is a virtual table's hidden one."""


def quoted(name: str) -> str:
    """The identifier in double quotes."""
    return '"' + name.replace('"', '""') + '"'


def _names(connection: sqlite3.Connection) -> list[tuple[str, bool]]:
    """Names in creation order with whether it is a view; internal, virtual and shadow tables are left out.

    `PRAGMA table_list` would tell the kinds, but resolves every view for it: minutes for 20,000 of them.
    """
    virtual = read_virtual_tables(connection)
    left_out = virtual.shadows | frozenset(virtual.tables)
    found = connection.execute("SELECT name, type FROM sqlite_master WHERE type IN ('table', 'view')")
    return [
        (name, kind == "view")
        for name, kind in found
        if name.casefold() not in left_out and not name.casefold().startswith("sqlite_")
    ]


def _columns(connection: sqlite3.Connection, table: str) -> list[dict[str, Any]]:
    """Columns in order; `pk` is the place in the primary key from 1, or 0."""
    found = connection.execute(f"PRAGMA main.table_xinfo({quoted(table)})")
    return [
        {"name": name, "type": kind or "", "nullable": not required, "pk": place}
        for _, name, kind, required, _, place, hidden in found
        if hidden in GENERATED
    ]


def _foreign_keys(connection: sqlite3.Connection, table: str) -> list[dict[str, Any]]:
    """Foreign keys in the order they were declared; an implicit target column is None."""
    keys: dict[int, dict[str, Any]] = {}
    for number, _, to_table, column, to_column, *_ in connection.execute(
        f"PRAGMA main.foreign_key_list({quoted(table)})"
    ):
        key = keys.setdefault(number, {"to_table": to_table, "columns": [], "to_columns": []})
        key["columns"].append(column)
        key["to_columns"].append(to_column)
    return [keys[number] for number in sorted(keys, reverse=True)]


def tables(connection: sqlite3.Connection) -> list[dict[str, Any]]:
    """Every readable table and view; a view whose query no longer resolves is left out.

    Raises:
        sqlite3.Error: the file is locked, corrupt or not a database.
    """
    found = []
    for name, is_view in _names(connection):
        with contextlib.suppress(sqlite3.OperationalError) if is_view else contextlib.nullcontext():
            columns = _columns(connection, name)
            keys = [] if is_view else _foreign_keys(connection, name)
            found.append({"name": name, "is_view": is_view, "columns": columns, "foreign_keys": keys})
    return found
