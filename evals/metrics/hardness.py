"""Spider's hardness of a gold query (Yu et al. 2018), counted on a sqlglot tree.

The official counts come from a parser of a fragment of SQL; what it counts by accident is kept, because
the published levels depend on it: a negated condition and every connective of HAVING count as an aggregate.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Literal, get_args

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

Hardness = Literal["easy", "medium", "hard", "extra"]
HARDNESS: tuple[Hardness, ...] = get_args(Hardness)

_AGGREGATES = (exp.Count, exp.Sum, exp.Avg, exp.Max, exp.Min)


@lru_cache(maxsize=16384)
def hardness(sql: str) -> Hardness | None:
    """The level of a gold query; None when it does not parse or is not a SELECT.

    >>> hardness("SELECT name FROM artists"), hardness("SELECT a FROM t WHERE b IN (SELECT b FROM u)")
    ('easy', 'hard')
    """
    try:
        tree = sqlglot.parse_one(sql, dialect="sqlite")
    except SqlglotError:
        return None
    nested, select = 0, tree
    while isinstance(select, exp.SetOperation | exp.Subquery):
        nested = 1 if isinstance(select, exp.SetOperation) else nested
        select = select.this
    if not isinstance(select, exp.Select):
        return None
    conditions = list(_conditions(select))
    nested += sum(_subqueries(condition) for condition in conditions)
    return _level(_clauses(select, conditions), nested, _others(select))


def _level(clauses: int, nested: int, others: int) -> Hardness:
    if nested:
        return "hard" if nested == 1 and clauses <= 1 and not others else "extra"
    if clauses <= 1 and not others:
        return "easy"
    if (others <= 2 and clauses <= 1) or (clauses <= 2 and others < 2):
        return "medium"
    if (others > 2 and clauses <= 2) or (clauses == 3 and others <= 2):
        return "hard"
    return "extra"


def _conditions(select: exp.Select) -> Iterator[exp.Expr]:
    """The expressions of ON, WHERE and HAVING."""
    for join in select.args.get("joins") or []:
        if join.args.get("on"):
            yield join.args["on"]
    for clause in ("where", "having"):
        if select.args.get(clause):
            yield select.args[clause].this


def _clauses(select: exp.Select, conditions: list[exp.Expr]) -> int:
    """The first component: clauses, joins, ORs and LIKEs."""
    present = sum(bool(select.args.get(key)) for key in ("where", "group", "order", "limit"))
    inner = [node for condition in conditions for node in _own(condition)]
    return (
        present + len(select.args.get("joins") or []) + sum(isinstance(n, exp.Or | exp.Like) for n in inner)
    )


def _others(select: exp.Select) -> int:
    """The third component: several aggregates, columns, conditions or grouping columns."""
    where, having = (select.args[c].this if select.args.get(c) else None for c in ("where", "having"))
    group = select.args.get("group")
    aggregates = sum(any(isinstance(n, _AGGREGATES) for n in _own(e)) for e in select.expressions)
    aggregates += sum(isinstance(n, exp.Not) for n in _own(where))
    aggregates += sum(isinstance(n, exp.Not | exp.Connector) for n in _own(having))
    aggregates += sum(isinstance(n, _AGGREGATES) for n in _own(select.args.get("order")))
    many_conditions = any(isinstance(n, exp.Connector) for n in _own(where))
    many_groups = len(group.expressions) > 1 if group else False
    return sum((aggregates > 1, len(select.expressions) > 1, many_conditions, many_groups))


def _own(node: exp.Expr | None) -> Iterator[exp.Expr]:
    """The nodes of an expression, those of nested queries left out."""
    if node is not None:
        yield from node.walk(prune=lambda n: isinstance(n, exp.Query))


def _subqueries(condition: exp.Expr) -> int:
    """Nested queries of a condition; those inside them are left out."""
    return sum(isinstance(node, exp.Query) for node in _own(condition))
