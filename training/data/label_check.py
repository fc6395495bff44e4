"""Whether the labels of a wrong query explain it: with the parts they name put right, it gives gold's rows.

`difference` compares trees and may name a harmless variation, or miss what matters. Here the clauses that the
labels are about are taken from gold, all others stay as the actor wrote them, and the result is run.
"""

from collections import Counter
from collections.abc import Collection

from sqlglot import exp

from critiql.tools.errors.query import Query
from critiql.tools.schema.model import Schema
from critiql.tools.sql.canonical import canonical
from critiql.tools.sql.parse import ParseFailure, parse
from critiql.tools.sql.resolve import resolve

_ITEMS = {"expressions", "group", "order"}
_CONDITIONS = {"where", "having"}
_SOURCES = {"from_", "joins", "with_"}
_CUT = {"limit", "offset"}
CLAUSES = {*_ITEMS, *_CONDITIONS, *_SOURCES, *_CUT, "distinct"}
NAMED_BY: dict[str, set[str]] = {
    "attribute_mismatch": _ITEMS | _CONDITIONS,
    "attribute_redundancy": _ITEMS,
    "attribute_missing": _ITEMS,
    "table_mismatch": _SOURCES,
    "table_redundancy": _SOURCES,
    "table_missing": _SOURCES,
    "value_error": _CONDITIONS | _CUT,
    "condition_missing": _CONDITIONS,
    "condition_error": _CONDITIONS,
    "function_error": {"expressions", "order"} | _CONDITIONS,
    "clause_error": {"group", "having", "order"} | _CUT,
    "modifier_error": {"distinct", "expressions", "order"},
    "operator_error": _CONDITIONS,
    "subquery_error": _SOURCES | _CONDITIONS,
    "join_error": _SOURCES,
}
"""By error type the clauses it may stand in."""


def put_right(right: Query, wrong: Query, types: Collection[str]) -> str | None:
    """The wrong query with the clauses that its labels name taken from gold.

    Args:
        right: gold.
        wrong: the actor's query.
        types: keys of error types.

    Returns:
        Canonical SQL; None where the two cannot be put together.
    """
    gold, other = _by_table_names(right), _by_table_names(wrong)
    if gold is None or other is None:
        return None
    named = set[str]().union(*(NAMED_BY[key] for key in types))
    patched = _patched(gold, other, named)
    if patched is None:
        return None
    text = canonical(patched, right.parsed.dialect)
    again = parse(text, right.parsed.dialect)
    return None if isinstance(again, ParseFailure) else text


def _patched(gold: exp.Expr, other: exp.Expr, named: set[str]) -> exp.Expr | None:
    if isinstance(gold, exp.SetOperation) and type(gold) is type(other):
        for side in ("this", "expression"):
            patched = _patched(gold.args[side], other.args[side], named)
            if patched is None:
                return None
            other.set(side, patched)
    elif not (isinstance(gold, exp.Select) and isinstance(other, exp.Select)):
        return None
    clauses = named | _hanging(gold, other) if named & _SOURCES else named
    for clause in clauses & CLAUSES:
        if isinstance(other, exp.Select) or clause in _CUT | {"order"}:
            other.set(clause, _copy(gold.args.get(clause)))
    return other


def _hanging(gold: exp.Expr, other: exp.Expr) -> set[str]:
    """Clauses that name a table which only one of the two reads: they change with the table."""
    had, has = _tables(gold), _tables(other)
    changed = (had | has) - (had & has)
    return {
        clause
        for clause in CLAUSES
        for tree in (gold, other)
        if any(column.table.casefold() in changed for column in _columns(tree.args.get(clause)))
    }


def _tables(tree: exp.Expr) -> set[str]:
    return {table.alias_or_name.casefold() for table in tree.find_all(exp.Table)}


def _columns(value: object) -> list[exp.Column]:
    nodes = value if isinstance(value, list) else [value]
    return [column for node in nodes if isinstance(node, exp.Expr) for column in node.find_all(exp.Column)]


def _copy(value: object) -> object:
    if isinstance(value, list):
        return [_copy(one) for one in value]
    return value.copy() if isinstance(value, exp.Expr) else value


def _by_table_names(query: Query) -> exp.Expr | None:
    """A copy of the tree in which a table that is read once goes by its own name, not by an alias."""
    parsed = parse(canonical(query.tree, query.parsed.dialect), query.parsed.dialect)
    return None if isinstance(parsed, ParseFailure) else _renamed(parsed.tree, query.schema)


def _renamed(tree: exp.Query, schema: Schema) -> exp.Expr:
    resolution = resolve(tree, schema)
    tables = list(tree.find_all(exp.Table))
    reads = Counter(table.name.casefold() for table in tables)
    once = {id(table): table.name for table in tables if reads[table.name.casefold()] == 1}
    for column in list(tree.find_all(exp.Column)):
        binding = resolution.binding(column)
        name = once.get(id(binding.source.node)) if binding is not None else None
        if name is not None:
            column.set("table", exp.to_identifier(name))
    for table in tables:
        if id(table) in once and table.args.get("alias"):
            table.set("alias", None)
    return tree
