"""Holds a declared statement to an access policy, on relations and columns as the server resolved them."""

from collections.abc import Callable, Iterable
from typing import Any

from critiql.tools.database.guard.policy import AccessPolicy
from critiql.tools.database.guard.single_select import Refusal
from critiql.tools.database.postgres.columns import DeniedReadError, Lookup, Resolver, Source
from critiql.tools.database.postgres.functions import BY_TEXT
from critiql.tools.database.postgres.guard import Fact, lookup_sql
from critiql.tools.database.postgres.reading import Names, Node, Statement, read_statement
from critiql.tools.database.postgres.relations import (
    Relation,
    below,
    denied_columns,
    denied_relation,
    read_relations,
)

Relations = dict[int, Relation]


def check_policy(connection: Any, statement: Statement, policy: AccessPolicy) -> Refusal | None:
    """A refusal when the declared statement might read what the policy denies.

    Args:
        connection: A psycopg connection in the transaction in which the statement was declared.
        statement: What was declared.
        policy: What may be read.
    """
    relations = read_relations(connection)
    if name := denied_relation(relations, policy):
        return Refusal("denied", f"the table {name} may not be read here", name)
    try:
        named = _resolve(statement.select, relations, policy)
        _check_named(named, relations, policy)
        for oid in sorted(below(named, relations)):
            _check_view(relations[oid], relations, policy, connection.execute)
    except DeniedReadError as error:
        return Refusal("denied", str(error), error.name)
    except RecursionError:
        return Refusal("too_large", "the statement is nested too deeply")
    return None


def _resolve(select: Node, relations: Relations, policy: AccessPolicy) -> set[int]:
    """The relations that a query names; its columns have been looked at."""
    resolver = Resolver(_lookup(relations, policy))
    resolver.select(select, [], {})
    return {relation.oid for schema, name in resolver.read for relation in _find(relations, schema, name)}


def _find(relations: Relations, schema: str, name: str) -> list[Relation]:
    return [
        relation
        for relation in relations.values()
        if relation.is_read and relation.name == name and schema in ("", relation.schema)
    ]


def _lookup(relations: Relations, policy: AccessPolicy) -> Lookup:
    def find(schema: str, name: str) -> Source:
        if name.startswith("pg_") or schema in ("pg_catalog", "information_schema"):
            raise DeniedReadError(f"{name} may not be used here: only listed tables may be read", name)
        found = _find(relations, schema, name)
        if not found:
            message = f"the table {name} may not be read here: it is not among what the server reads for it"
            raise DeniedReadError(message, name)
        denied = frozenset[str]().union(*(denied_columns(one.oid, relations, policy) for one in found))
        if len(found) > 1 and denied:
            raise DeniedReadError(f"the table {name} may not be read here: write its schema", name)
        return Source(name, tuple(found[0].columns) if len(found) == 1 else (), denied, len(found) > 1)

    return find


def _check_named(named: set[int], relations: Relations, policy: AccessPolicy) -> None:
    """The lists, for tables that the statement names itself; and no relation may be there unexplained."""
    for oid in sorted(named):
        relation = relations[oid]
        if not relation.is_visible:
            message = f"the schema {relation.schema} may not be used here: only listed tables may be read"
            raise DeniedReadError(message, relation.schema)
        if not policy.allows_table(relation.name):
            raise DeniedReadError(f"the table {relation.name} may not be read here", relation.name)
    read = {oid for oid, relation in relations.items() if relation.is_read}
    for oid in sorted(read - below(named, relations)):
        name = relations[oid].name
        raise DeniedReadError(f"the table {name} may not be read here: what names it is not known", name)


def _check_view(
    view: Relation, relations: Relations, policy: AccessPolicy, execute: Callable[[bytes], Any]
) -> None:
    if view.definition is None:
        return
    statement = read_statement(view.definition)
    why = "its text cannot be read"
    if not isinstance(statement, Refusal):
        why = _why_not(statement.names, execute(lookup_sql(statement.names).encode()).fetchall())
        if not why:
            try:
                _resolve(statement.select, relations, policy)
            except DeniedReadError as error:
                why = str(error)
    if why:
        raise DeniedReadError(f"the view {view.name} may not be read here: {why}", view.name)


def _why_not(names: Names, rows: Iterable[tuple[Any, ...]]) -> str:
    """What a view calls that may read anything; an empty text where it calls nothing of the kind."""
    if by_text := sorted(names.functions & BY_TEXT):
        return f"it calls {by_text[0]}"
    foreign = [fact for fact in map(Fact._make, rows) if not fact.is_engine and not fact.computes]
    return f"what its {foreign[0].what} {foreign[0].name} reads is not known" if foreign else ""
