"""Shares: of all, where a query divides a total by itself, and with fractions, where it cuts them off."""

import re

from sqlglot import exp

from critiql.tools.errors.query import Query

_PART = re.compile(
    r" (?:percent|percentage|percentages|share|shares|proportion|part|fraction|ratio|average)[. ]|%"
)


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


def groups_over_all(query: Query, window: exp.Window) -> exp.Query | None:
    """The total over all groups, where COUNT(x) OVER () counts the groups; None for any other window."""
    select = window.parent_select
    plain = not any(window.args.get(part) for part in ("partition_by", "order", "spec"))
    if select is None or not select.args.get("group") or not plain:
        return None
    if not isinstance(window.this, exp.Count):
        return None
    tree, (twin,) = query.copied(window)
    twin.set("this", exp.Sum(this=window.this.copy()))
    return tree


def with_fractions(query: Query, node: exp.Div) -> exp.Query | None:
    """A division with fractions, where SQLite divides whole numbers and cuts them off; None if not."""
    if query.parsed.dialect != "sqlite" or not _PART.search(query.words):
        return None
    if not (_is_whole(query, node.this) and _is_whole(query, node.expression)):
        return None
    tree, (twin,) = query.copied(node.this)
    twin.replace(exp.Mul(this=exp.Literal.number("1.0"), expression=_bracketed(node.this)))
    return tree


def _is_whole(query: Query, side: exp.Expr) -> bool:
    """Whether it is computed of whole numbers alone; CAST AS DECIMAL leaves them whole in SQLite."""
    side = side.unnest()
    if isinstance(side, exp.Cast):
        kind = side.to.sql().upper()
        return kind.startswith(("DECIMAL", "NUMERIC", "INT")) and _is_whole(query, side.this)
    if isinstance(side, exp.Mul | exp.Add | exp.Sub):
        return _is_whole(query, side.this) and _is_whole(query, side.expression)
    if isinstance(side, exp.Sum):
        return _is_whole(query, side.this)
    if isinstance(side, exp.Case):
        ends = [branch.args["true"] for branch in side.args["ifs"]] + [side.args.get("default")]
        return all(isinstance(end, exp.Literal) and _is_whole(query, end) for end in ends)
    return isinstance(side, exp.Count) or (
        isinstance(side, exp.Literal) and not side.is_string and str(side.this).isdigit()
    )


def _bracketed(side: exp.Expr) -> exp.Expr:
    return exp.Paren(this=side.copy()) if isinstance(side, exp.Add | exp.Sub) else side.copy()
