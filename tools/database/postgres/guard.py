"""What a PostgreSQL statement may call and read, asked of the server's own catalogue."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from critiql.tools.database.guard.access import Catalog
from critiql.tools.database.guard.policy import AccessPolicy
from critiql.tools.database.guard.single_select import Refusal

HARMLESS = ["random", "random_normal", "clock_timestamp", "timeofday", "gen_random_uuid", "uuidv4", "uuidv7"]
"""Functions of the server that are volatile and yet neither write, wait nor reach outside."""
_DENIED_WORDS = """
current_setting txid_current pg_current_xact_id pg_export_snapshot query_to_xml table_to_xml
table_to_xmlschema table_to_xml_and_xmlschema schema_to_xml schema_to_xmlschema
schema_to_xml_and_xmlschema database_to_xml database_to_xmlschema database_to_xml_and_xmlschema
pg_stat_get_activity pg_show_all_settings pg_show_all_file_settings pg_hba_file_rules
"""
DENIED = _DENIED_WORDS.split()
"""Functions declared stable that show settings, read by a text, or take a transaction number."""
CALLS_SQL = """
SELECT DISTINCT p.proname::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE lower(p.proname) = ANY(%s) AND NOT (n.nspname = 'pg_catalog' AND p.proname = ANY(%s)) AND (
    p.provolatile = 'v' OR p.proname = ANY(%s) OR n.nspname <> 'pg_catalog' AND (p.prosecdef OR %s)
) ORDER BY 1
"""
"""Volatile means: may write, wait, or reach outside (manual, 38.7). SECURITY DEFINER: as somebody else."""
LOCKS_SQL = """
SELECT DISTINCT relation::bigint FROM pg_lock_status()
WHERE pid = pg_backend_pid() AND locktype = 'relation'
"""
"""Every relation a parsed statement names, also through views, is locked until the transaction ends."""
RELATIONS_SQL = """
SELECT c.oid::bigint, c.relname::text, n.nspname IN ('pg_catalog', 'information_schema', 'pg_toast')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = ANY(%s::bigint[]::oid[]) AND c.relkind NOT IN ('i', 'I', 't', 'c')
"""
EDGES_SQL = """
SELECT r.ev_class::bigint, d.refobjid::bigint FROM pg_rewrite r JOIN pg_depend d
    ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass
WHERE d.refobjid <> r.ev_class
UNION SELECT inhparent::bigint, inhrelid::bigint FROM pg_inherits
"""
"""From a view to what it reads, from a table to its partitions."""
NAMES_SQL = """
SELECT c.relname::text, c.relkind IN ('v', 'm'),
    CASE WHEN c.relkind IN ('v', 'm') THEN coalesce(pg_get_viewdef(c.oid), '') END
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
    AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
"""
SCHEMAS_SQL = "SELECT nspname::text FROM pg_namespace WHERE NOT nspname = ANY(current_schemas(false))"
FRESH_SECONDS = 10.0
"""How long the names read from the catalogue are believed."""


def forbidden_function(connection: Any, names: Iterable[str], has_policy: bool) -> Refusal | None:
    """A refusal when one of the called names belongs to a function that may not be called.

    Args:
        connection: A psycopg connection, outside a transaction.
        names: Called names, case-folded.
        has_policy: Whether functions that are not the server's own are refused altogether.
    """
    found = connection.execute(CALLS_SQL, [sorted(names), HARMLESS, DENIED, has_policy]).fetchone()
    if found is None:
        return None
    return Refusal("denied", f"the function {found[0]} may not be called here", found[0])


@dataclass
class Names:
    """Relations of the database, read again when they are older than some seconds."""

    catalog: Catalog = field(default_factory=lambda: Catalog(frozenset()))
    edges: dict[int, set[int]] = field(default_factory=dict)
    read_at: float | None = None

    def refresh(self, connection: Any) -> None:
        """Read the catalogue when what is known is not fresh."""
        if self.read_at is not None and time.monotonic() - self.read_at < FRESH_SECONDS:
            return
        relations = connection.execute(NAMES_SQL).fetchall()
        views = {name.casefold(): text for name, is_view, text in relations if is_view}
        schemas = frozenset(name.casefold() for (name,) in connection.execute(SCHEMAS_SQL))
        self.catalog = Catalog(frozenset(name.casefold() for name, *_ in relations), views, schemas)
        self.edges = {}
        for source, target in connection.execute(EDGES_SQL):
            self.edges.setdefault(source, set()).add(target)
        self.read_at = time.monotonic()

    def reached(self, sources: Iterable[int]) -> set[int]:
        """These relations and all they read through views and partitions."""
        found: set[int] = set()
        waiting = list(sources)
        while waiting:
            oid = waiting.pop()
            if oid not in found:
                found.add(oid)
                waiting += self.edges.get(oid, ())
        return found


def forbidden_relation(connection: Any, policy: AccessPolicy, names: Names) -> Refusal | None:
    """A refusal when the declared statement holds a lock on a relation that the policy denies.

    Args:
        connection: A psycopg connection inside the statement's transaction.
        policy: What may be read.
        names: What views read.
    """
    locked = [oid for (oid,) in connection.execute(LOCKS_SQL)]
    relations = connection.execute(RELATIONS_SQL, [locked]).fetchall()
    denied = {name.casefold() for name in policy.deny_tables}
    reached = names.reached(oid for oid, name, _ in relations if policy.allows_table(name))
    for oid, name, is_catalogue in relations:
        if is_catalogue or name.casefold() in denied or oid not in reached:
            return Refusal("denied", f"the table {name} may not be read here", name)
    return None
