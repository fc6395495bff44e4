"""The relations that a declared statement reads, as the server resolved them.

Every relation that a parsed statement names, also through views, is locked until its transaction ends.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from critiql.tools.database.guard.policy import AccessPolicy

LOCKS_SQL = (
    "SELECT DISTINCT relation::bigint FROM pg_catalog.pg_lock_status() "
    "WHERE pid = pg_backend_pid() AND locktype = 'relation'"
)
PREPARE_SQL = """
PREPARE critiql_reached (oid[]) AS
WITH RECURSIVE views AS NOT MATERIALIZED (
    SELECT r.ev_class AS source, d.refobjid AS target
    FROM pg_catalog.pg_rewrite r JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::regclass
        AND d.objid = r.oid AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid <> r.ev_class
    UNION ALL SELECT p.polrelid, d.refobjid
    FROM pg_catalog.pg_policy p JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_policy'::regclass
        AND d.objid = p.oid AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid <> p.polrelid
),
reached (oid, is_read) AS (
    SELECT oid, true FROM unnest($1) oid
    UNION SELECT e.target, e.is_read FROM reached r CROSS JOIN LATERAL (
        SELECT target, true AS is_read FROM views WHERE source = r.oid AND r.is_read
        UNION ALL SELECT inhrelid, true FROM pg_catalog.pg_inherits WHERE inhparent = r.oid AND r.is_read
        UNION ALL SELECT inhparent, false FROM pg_catalog.pg_inherits WHERE inhrelid = r.oid
    ) e
)
SELECT c.oid::bigint, n.nspname::text, c.relname::text, n.nspname = ANY(current_schemas(false)), f.is_read,
    ARRAY(SELECT attname::text FROM pg_catalog.pg_attribute
        WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped ORDER BY attnum),
    ARRAY(SELECT target::bigint FROM views WHERE source = c.oid),
    ARRAY(SELECT inhrelid::bigint FROM pg_catalog.pg_inherits WHERE inhparent = c.oid),
    ARRAY(SELECT inhparent::bigint FROM pg_catalog.pg_inherits WHERE inhrelid = c.oid),
    CASE WHEN c.relkind IN ('v', 'm') THEN coalesce(pg_get_viewdef(c.oid), '') END
FROM (SELECT oid, bool_or(is_read) AS is_read FROM reached GROUP BY oid) f
    JOIN pg_catalog.pg_class c ON c.oid = f.oid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind NOT IN ('i', 'I', 't', 'c') AND n.nspname NOT IN ('pg_catalog', 'pg_toast')
"""
"""The relations, what views among them read, and up and down from tables to their partitions."""


@dataclass(frozen=True)
class Relation:
    """One table or view."""

    oid: int
    schema: str
    name: str
    is_visible: bool
    """Whether its schema is one that plain names refer to."""
    is_read: bool
    """False of a table that only has a partition which is read."""
    columns: list[str]
    reads: list[int]
    """Relations that a view reads, or the row security of a table."""
    children: list[int]
    parents: list[int]
    definition: str | None
    """The text of a view."""


def read_relations(connection: Any) -> dict[int, Relation]:
    """By number, every relation that the statement of this transaction reads, catalogues left out."""
    locked = sorted(oid for (oid,) in connection.execute(LOCKS_SQL))
    array = ", ".join(map(str, locked))
    rows = connection.execute(f"EXECUTE critiql_reached (ARRAY[{array}]::oid[])".encode()).fetchall()
    return {row[0]: Relation(*row) for row in rows}


def _walk(start: Iterable[int], relations: dict[int, Relation], *fields: str) -> set[int]:
    found: set[int] = set()
    waiting = list(start)
    while waiting:
        oid = waiting.pop()
        if oid in found or oid not in relations:
            continue
        found.add(oid)
        for name in fields:
            waiting += getattr(relations[oid], name)
    return found


def below(start: Iterable[int], relations: dict[int, Relation]) -> set[int]:
    """These relations, what they read as views, and their partitions."""
    return _walk(start, relations, "reads", "children")


def kin(oid: int, relations: dict[int, Relation]) -> list[Relation]:
    """The relation, the tables it is a partition of, and its partitions: they hold the same rows."""
    found = _walk([oid], relations, "parents") | _walk([oid], relations, "children")
    return [relations[number] for number in sorted(found)]


def denied_columns(oid: int, relations: dict[int, Relation], policy: AccessPolicy) -> frozenset[str]:
    """Columns of a relation that may not be read, under its own name or that of its kin."""
    return frozenset(
        column
        for other in kin(oid, relations)
        for column in other.columns
        if not policy.allows_column(other.name, column)
    )


def denied_relation(relations: dict[int, Relation], policy: AccessPolicy) -> str | None:
    """The name of a relation that is read and on the deny-list, itself or its kin."""
    denied = {name.casefold() for name in policy.deny_tables}
    for oid, relation in sorted(relations.items()):
        is_denied = any(other.name.casefold() in denied for other in kin(oid, relations))
        if relation.is_read and (is_denied or relation.schema == "information_schema"):
            return relation.name
    return None
