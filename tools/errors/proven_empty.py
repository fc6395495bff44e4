"""Whether a result without rows is an answer: each condition, by itself, holds for a stored value.

A query whose text or number is nowhere in its column is empty because it looks for the wrong thing. One whose
every value is there is empty because nothing meets all of them, which is an answer: an album without sales.
What is not in, or left over from, another set has no value to look up.
"""

import re
from collections.abc import Callable, Iterator

from sqlglot import exp

from critiql.tools.errors.links import links_between
from critiql.tools.errors.query import COMPARISONS, MIRRORED, Place, Query

_HOLDS: dict[type[exp.Expr], Callable[[object, object], bool]] = {
    exp.EQ: lambda stored, value: stored == value or str(stored) == str(value),
    exp.GT: lambda stored, value: _orders(stored, value, lambda a, b: a > b),
    exp.GTE: lambda stored, value: _orders(stored, value, lambda a, b: a >= b),
    exp.LT: lambda stored, value: _orders(stored, value, lambda a, b: a < b),
    exp.LTE: lambda stored, value: _orders(stored, value, lambda a, b: a <= b),
    exp.Like: lambda stored, value: _like(str(value)).fullmatch(str(stored)) is not None,
}
"""Whether one stored value meets a condition."""
_WALKED = (exp.And, exp.Or, exp.Not, exp.Paren)


def is_proven_empty(query: Query) -> bool:
    """Whether each condition of a query without rows is proven right by what is stored.

    False is no finding: a condition that is computed, or whose column was not read whole, cannot be proven.
    """
    if query.values is None or any(query.all(exp.Offset)):
        return False
    return all(_is_proven(atom, query) for atom in _conditions(query))


def _conditions(query: Query) -> Iterator[exp.Expr]:
    """The single conditions of every WHERE, HAVING and ON."""
    for clause in query.all(exp.Where, exp.Having):
        yield from _atoms(clause.this)
    for join in query.all(exp.Join):
        if join.args.get("using"):
            yield join
        elif (on := join.args.get("on")) is not None:
            yield from _atoms(on)


def _atoms(condition: exp.Expr) -> Iterator[exp.Expr]:
    if not isinstance(condition, _WALKED):
        yield condition
        return
    for part in (condition.this, condition.args.get("expression")):
        if isinstance(part, exp.Expr):
            yield from _atoms(part)


def _is_proven(atom: exp.Expr, query: Query) -> bool:
    """Whether one condition is right by look-up, or has nothing to look up."""
    negated = _is_negated(atom)
    if isinstance(atom, exp.Exists):
        return True
    if isinstance(atom, exp.In) and (inner := atom.args.get("query")) is not None:
        return _is_membership(atom.this, inner, query, negated=negated)
    if isinstance(atom, exp.Is):
        return negated or _is_left_over(atom, query)
    if isinstance(atom, exp.NEQ):
        return query.place(atom.this) is not None and query.constant(atom.expression) is not None
    if (
        isinstance(atom, exp.EQ)
        and isinstance(atom.expression, exp.Column)
        and isinstance(atom.this, exp.Column)
    ):
        one, other = query.place(atom.this), query.place(atom.expression)
        if one is not None and other is not None:
            return _belong_together(one, other, query)
    return _is_stored(atom, query)


def _is_negated(atom: exp.Expr) -> bool:
    parent = atom.parent
    while isinstance(parent, exp.Paren):
        parent = parent.parent
    return isinstance(parent, exp.Not)


def _is_membership(tested: exp.Expr, inner: exp.Expr, query: Query, *, negated: bool) -> bool:
    """IN and NOT IN a subquery: both columns mean the same thing, and no NULL makes NOT IN empty for good."""
    select = inner.find(exp.Select)
    if select is None or len(select.expressions) != 1:
        return False
    one, other = query.place(tested), query.place(select.expressions[0].unalias())
    if one is None or other is None or not _belong_together(one, other, query):
        return False
    return not negated or query.holds_null(other) is False


def _is_left_over(atom: exp.Is, query: Query) -> bool:
    """`IS NULL` of a column of a table that an outer join adds: the rows that found no partner."""
    place = query.place(atom.this)
    if place is None:
        return False
    outer = [join for join in query.all(exp.Join) if join.side in ("LEFT", "FULL")]
    return any(join.this.name.casefold() == place.table.name.casefold() for join in outer)


def _belong_together(one: Place, other: Place, query: Query) -> bool:
    """Whether two columns are linked by a foreign key, are the same, or hold a value in common."""
    if one == other:
        return True
    pair = (one.column.name.casefold(), other.column.name.casefold())
    for link in links_between(query.schema, one.table, other.table):
        if (link.column.casefold(), link.other_column.casefold()) == pair:
            return True
    mine, theirs = query.distinct(one), query.distinct(other)
    return bool(mine and theirs and not set(mine).isdisjoint(theirs))


def _is_stored(atom: exp.Expr, query: Query) -> bool:
    """A column against constants: each constant of an IN, and the condition itself, meets a stored value."""
    if isinstance(atom, exp.In):
        return bool(atom.expressions) and all(
            _meets(atom.this, exp.EQ, item, query) for item in atom.expressions
        )
    if isinstance(atom, exp.Between):
        low, high = atom.args["low"], atom.args["high"]
        return _meets(atom.this, exp.GTE, low, query) and _meets(atom.this, exp.LTE, high, query)
    if isinstance(atom, (*COMPARISONS, exp.Like)):
        kind = type(atom)
        return _meets(atom.this, kind, atom.expression, query) or _meets(
            atom.expression, MIRRORED.get(kind, kind), atom.this, query
        )
    return False


def _meets(column: exp.Expr, kind: type[exp.Expr], constant: exp.Expr, query: Query) -> bool:
    """Whether some stored value of the column meets the comparison."""
    place, value, holds = query.place(column), query.constant(constant), _HOLDS.get(kind)
    if place is None or value is None or holds is None:
        return False
    return any(holds(stored, value) for stored in query.distinct(place) or ())


def _orders(stored: object, value: object, compare: Callable[[float, float], bool]) -> bool:
    """Whether two numbers stand in an order; texts of numbers count as numbers."""
    try:
        return compare(float(str(stored)), float(str(value)))
    except ValueError:
        return False


def _like(pattern: str) -> re.Pattern[str]:
    """A LIKE pattern, case ignored as SQLite does."""
    wild = {"%": ".*", "_": "."}
    return re.compile(
        "".join(wild.get(sign) or re.escape(sign) for sign in pattern), re.IGNORECASE | re.DOTALL
    )
