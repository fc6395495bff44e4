"""Whether the functions, operators, types and casts that a statement names may be used.

The server's own functions must be listed. What its users made is asked for by name at every statement, in the
statement's own transaction, so that nothing is believed that has changed since.
"""

from typing import Any, NamedTuple

from critiql.tools.database.guard.single_select import Refusal
from critiql.tools.database.postgres.functions import CATALOGUE_FUNCTIONS, CATALOGUE_RELATIONS, FUNCTIONS
from critiql.tools.database.postgres.reading import Names

PREPARE_SQL = """
PREPARE critiql_names (name[], name[], name[], name[], name[]) AS
WITH facts AS NOT MATERIALIZED (
    SELECT p.oid, p.proname AS name, n.nspname = 'pg_catalog' AS is_engine,
        p.provolatile = 'v' OR p.prosecdef AS may_act,
        l.lanname = 'c' AND p.provolatile = 'i' AND NOT p.prosecdef AS computes,
        p.pronargs - p.pronargdefaults AS needed, p.pronargs AS taken, p.proargtypes
    FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
        JOIN pg_catalog.pg_language l ON l.oid = p.prolang
)
SELECT 'function', name::text, name::text, is_engine, may_act, computes FROM facts
WHERE name = ANY($1) AND NOT is_engine
UNION ALL SELECT 'function', name::text, name::text, is_engine, may_act, computes FROM facts
WHERE name = ANY($2)
UNION ALL SELECT 'function', name::text, name::text, is_engine, may_act, computes FROM facts
WHERE name = ANY($3) AND needed <= 1 AND taken >= 1
    AND (SELECT t.typtype FROM pg_catalog.pg_type t WHERE t.oid = proargtypes[0]) IN ('c', 'p')
UNION ALL SELECT 'operator', o.oprname::text, name::text, is_engine, may_act, computes
FROM pg_catalog.pg_operator o JOIN facts ON facts.oid = o.oprcode
WHERE o.oprname = ANY($4) AND o.oprnamespace <> 'pg_catalog'::regnamespace
UNION ALL SELECT 'cast to', t.typname::text, name::text, is_engine, may_act, computes
FROM pg_catalog.pg_cast c JOIN facts ON facts.oid = c.castfunc
    JOIN pg_catalog.pg_type t ON t.oid = c.casttarget
WHERE c.oid >= 16384 AND (c.castcontext = 'i' OR t.typname = ANY($5))
UNION ALL SELECT 'type', t.typname::text, '', false, false, t.typtype NOT IN ('c', 'd')
FROM pg_catalog.pg_type t
WHERE t.typname = ANY($5) AND t.typnamespace <> 'pg_catalog'::regnamespace AND NOT (
    t.typtype = 'd' AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.contypid = t.oid))
"""
"""What users made under the names of a statement, and the server's functions that are not listed.

`may_act`: volatile, so it may write, wait, or reach outside (manual, 38.7), or runs with its owner's rights.
`computes`: written in C by a superuser and immutable, so it reads nothing. An implicit cast needs no name.
"""
READ_BY_NAME = frozenset(
    {"regclass", "regproc", "regprocedure", "regrole", "regtype", "regnamespace", "regoper", "regoperator"}
)
"""Types that say whether an object of any name is there."""
HIDDEN_VIEWS = ("_", "user_mapping")
"""Views of information_schema that hold settings of foreign servers begin so."""


class Fact(NamedTuple):
    """One row of what the catalogue says."""

    what: str
    name: str
    function: str
    is_engine: bool
    may_act: bool
    computes: bool


def lookup_sql(names: Names) -> str:
    """The statement that asks the catalogue for the names."""
    known = FUNCTIONS | CATALOGUE_FUNCTIONS
    groups = (
        names.functions & known,
        names.functions - known,
        names.attributes,
        names.operators,
        names.types,
    )
    return f"EXECUTE critiql_names ({', '.join(map(_array, groups))})"


def _array(names: set[str] | frozenset[str]) -> str:
    spelled = sorted(names | {name.lower() for name in names if not name.isascii()})
    quoted = ", ".join("'" + name.replace("'", "''") + "'" for name in spelled)
    return f"ARRAY[{quoted}]::name[]"


def forbidden_name(names: Names, has_policy: bool) -> Refusal | None:
    """A refusal that needs no server: what is not open under a policy, or to nobody."""
    if has_policy:
        return _forbidden_under_policy(names)
    for schema, name in sorted(names.relations):
        if _is_hidden(schema, name):
            return _denied("table", name)
    return None


def _forbidden_under_policy(names: Names) -> Refusal | None:
    if told := sorted(names.functions & CATALOGUE_FUNCTIONS):
        return _denied("function", told[0], "it tells about objects that are not listed")
    if told := sorted(names.types & READ_BY_NAME):
        return _denied("type", told[0], "it tells about objects that are not listed")
    return None


def _is_hidden(schema: str, name: str) -> bool:
    if schema == "information_schema":
        return name.startswith(HIDDEN_VIEWS)
    if schema.startswith("pg_") and schema != "pg_catalog":
        return True
    is_catalogue = schema == "pg_catalog" or (not schema and name.startswith("pg_"))
    return is_catalogue and name not in CATALOGUE_RELATIONS


def forbidden_fact(rows: list[tuple[Any, ...]], has_policy: bool) -> Refusal | None:
    """A refusal when one of the rows that `lookup_sql` gave is of something that may not be used."""
    for fact in map(Fact._make, sorted(rows)):
        is_listed = fact.function in FUNCTIONS or (fact.function in CATALOGUE_FUNCTIONS and not has_policy)
        if fact.is_engine and is_listed:
            continue
        if has_policy and not fact.is_engine and not fact.computes:
            return _denied(fact.what, fact.name, "what it reads is not known")
        if fact.is_engine or fact.may_act:
            return _denied(
                fact.what, fact.name, f"it calls {fact.function}" if fact.what != "function" else ""
            )
    return None


VERBS = {"function": "called", "table": "read"}


def _denied(what: str, name: str, why: str = "") -> Refusal:
    reason = f": {why}" if why else ""
    return Refusal("denied", f"the {what} {name} may not be {VERBS.get(what, 'used')} here{reason}", name)
