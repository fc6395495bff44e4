"""What PostgreSQL itself says that a statement reads and calls: its analysed tree, printed for its
superuser."""

import re
from typing import Any, NamedTuple

import psycopg

RELATION = re.compile(r":rtekind 0 :relid (?P<relid>\d+) .*?:selectedCols \(b(?P<columns>[ \d]*)\)")
"""Up to version 15 a relation's entry holds its columns."""
PERMISSION = re.compile(
    r"\{RTEPERMISSIONINFO :relid (?P<relid>\d+) .*?:selectedCols \(b(?P<columns>[ \d]*)\)"
)
"""From version 16 they are in an entry of their own."""
CALLED = re.compile(r":(?:funcid|opfuncid|aggfnoid|winfnoid|hashfuncid) (?P<oid>\d+)")
FIRST_COLUMN = 7
"""A whole row is bit 7 of selectedCols, column n bit 7 + n (sysattr.h)."""


class Reading(NamedTuple):
    """What the engine resolved."""

    columns: set[tuple[int, int]]
    """Number of a relation and of its column; 0 is the whole row."""
    relations: set[int]
    functions: set[int]


def engine_reading(connection: "psycopg.Connection[Any]", sql: str) -> Reading | None:
    """The reading of one statement, views expanded; None where the server refuses it. It is not run.

    Args:
        connection: Of a superuser, in autocommit mode.
        sql: One SELECT.
    """
    said: list[str] = []

    def keep(notice: "psycopg.errors.Diagnostic") -> None:
        said.append(notice.message_detail or "")

    connection.add_notice_handler(keep)
    try:
        connection.pgconn.exec_(b"SET debug_print_rewritten = on; SET client_min_messages = log")
        done = connection.pgconn.prepare(b"", sql.encode())
        connection.pgconn.exec_(b"RESET debug_print_rewritten; RESET client_min_messages")
    finally:
        connection.remove_notice_handler(keep)
    if done.status != psycopg.pq.ExecStatus.COMMAND_OK:
        return None
    return _read("\n".join(said))


def _read(tree: str) -> Reading:
    tree = " ".join(tree.split())
    found = list((PERMISSION if "{RTEPERMISSIONINFO" in tree else RELATION).finditer(tree))
    columns = {
        (int(match["relid"]), int(bit) - FIRST_COLUMN) for match in found for bit in match["columns"].split()
    }
    relations = {int(match["relid"]) for match in found}
    return Reading(columns, relations, {int(match["oid"]) for match in CALLED.finditer(tree)})
