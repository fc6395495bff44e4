"""The first and the last: the days at which each thing began or ended, and all that share the first place."""

import re
from typing import NamedTuple

from sqlglot import exp

from critiql.tools.errors.links import column_node
from critiql.tools.errors.mend.conjuncts import add_conjunct
from critiql.tools.errors.mend.days import is_day
from critiql.tools.errors.query import Query

_FIRST_OR_LAST = re.compile(
    r"^ when .* (?:each|every) .*?(?:(?<!the )\b(first|last)\b(?! name)|for the (first|last) time)"
)
_SEVERAL = re.compile(r" (?:if (?:there are )?several |list (?:them )?all |all of them )")


class Ends(NamedTuple):
    """A query for the first or last day of each thing."""

    tree: exp.Query
    day: exp.Expr
    """What was shown as it is."""
    key: exp.Column
    """What is grouped by."""


def first_of_each(query: Query) -> Ends | None:
    """The first, or last, day of each thing, where every day of each is shown; None if unsure."""
    select = query.tree
    asked = _FIRST_OR_LAST.search(query.words)
    parts = ("group", "limit", "distinct")
    if not asked or not isinstance(select, exp.Select) or any(select.args.get(one) for one in parts):
        return None
    if query.aggregates or len(query.selects) != 1:
        return None
    places = [(item, query.place(item.unalias())) for item in select.selects]
    days = [item for item, place in places if place is not None and is_day(query, place)]
    owners = {
        id(place.table): place.table for item, place in places if place is not None and item not in days
    }
    owner = next(iter(owners.values())) if len(owners) == 1 else None
    source = next((one for one in query.selects[0].sources if one.table is owner), None)
    if len(days) != 1 or owner is None or source is None or len(owner.primary_key) != 1:
        return None
    tree, (twin, day) = query.copied(select, days[0])
    end = exp.Min if "first" in asked.groups() else exp.Max
    day.unalias().replace(end(this=day.unalias().copy()))
    key = column_node(owner.primary_key[0], source.name, query.parsed.dialect)
    twin.set("group", exp.Group(expressions=[key]))
    twin.set("order", None)
    return Ends(tree, days[0], key)


def all_that_are_first(query: Query) -> exp.Query | None:
    """All rows with the first value, where the question wants all and LIMIT 1 keeps one; None if unsure."""
    select = query.tree
    order, limit = select.args.get("order"), select.args.get("limit")
    if not _SEVERAL.search(query.words) or not order or not isinstance(limit, exp.Limit):
        return None
    key = order.expressions[0]
    plain = not any(select.args.get(part) for part in ("group", "joins", "distinct", "having"))
    if limit.expression.sql() != "1" or len(order.expressions) != 1 or not plain:
        return None
    if query.place(key.this) is None:
        return None
    tree, (twin,) = query.copied(select)
    best = exp.Select(expressions=[(exp.Max if key.args.get("desc") else exp.Min)(this=key.this.copy())])
    for part in ("from_", "where"):
        best.set(part, twin.args[part].copy() if twin.args.get(part) else None)
    for part in ("order", "limit"):
        twin.set(part, None)
    add_conjunct(twin, exp.EQ(this=key.this.copy(), expression=exp.Subquery(this=best)))
    return tree
