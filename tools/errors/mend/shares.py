"""The share of all: a group's total over everybody's, where a query divides it by itself."""

from sqlglot import exp

from critiql.tools.errors.query import Query


def share_of_all(query: Query, node: exp.Div) -> exp.Query | None:
    """The query with the total of all rows below the line; None where the two totals differ."""
    part, whole = _measured(node.this), _measured(node.expression)
    select = node.parent_select
    if part is None or whole is None or select is None or not select.args.get("group"):
        return None
    if not _are_the_same(query, part, whole):
        return None
    tree, (twin, total) = query.copied(select, whole)
    everything = exp.Select(expressions=[total.copy()])
    for name in ("from_", "joins", "where"):
        found = twin.args.get(name)
        kept = [one.copy() for one in found] if isinstance(found, list) else found and found.copy()
        everything.set(name, kept)
    total.replace(exp.Subquery(this=everything))
    return tree


def _are_the_same(query: Query, part: exp.Expr, whole: exp.Expr) -> bool:
    """Whether two totals are one: counts of columns without NULL both count the rows."""
    if part == whole or not (isinstance(part, exp.Count) and isinstance(whole, exp.Count)):
        return part == whole
    return all(_counts_rows(query, call) for call in (part, whole))


def _counts_rows(query: Query, call: exp.Count) -> bool:
    """Whether it counts rows, directly or by a column that each row has a value in."""
    place = query.place(call.this)
    return isinstance(call.this, exp.Star) or (place is not None and query.holds_null(place) is False)


def _measured(side: exp.Expr) -> exp.Expr | None:
    """The one sum or count of a side, without the numbers that it is multiplied by."""
    while isinstance(side, exp.Paren | exp.Cast):
        side = side.this
    if isinstance(side, exp.Mul):
        sides = [one for one in (side.this, side.expression) if not isinstance(one.unnest(), exp.Literal)]
        return _measured(sides[0]) if len(sides) == 1 else None
    return side if isinstance(side, exp.Sum | exp.Count) else None
