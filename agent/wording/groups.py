"""Rows of groups that do not say which group they are."""

from sqlglot import exp

from critiql.tools.errors.query import Query, outermost
from critiql.tools.sql.canonical import canonical


def hidden_groups(query: Query) -> list[str]:
    """A note where a query gives one row a group and shows aggregates alone, so that no row has a name."""
    select = outermost(query.tree)
    group = select.args.get("group") if select is not None else None
    if select is None or group is None or not group.expressions or any(map(_names, select.expressions)):
        return []
    keys = ", ".join(canonical(key, query.parsed.dialect) for key in group.expressions)
    return [f"Each row is for one value of {keys}, which the query does not show."]


def _names(shown: exp.Expr) -> bool:
    """Whether a column of the result holds something of the rows themselves, and not of all in a group."""
    inner = shown.unalias()
    if isinstance(inner, exp.AggFunc):
        return False
    return any(column.find_ancestor(exp.AggFunc) is None for column in inner.find_all(exp.Column, exp.Star))
