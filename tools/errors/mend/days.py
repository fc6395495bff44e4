"""Days that SQLite keeps as texts: the days between two of them, and the first or last of each thing."""

import re

from sqlglot import exp

from critiql.tools.errors.query import Place, Query
from critiql.tools.shapes.columns import days_of

_DAYS = re.compile(r" (?:days?|weeks?)[. ]")


def is_day(query: Query, place: Place) -> bool:
    """Whether a column holds days."""
    return any(day.column == place.column.name for day in days_of(query.schema, place.table))


def subtracted_days(query: Query) -> list[exp.Sub]:
    """Differences of two stored days, where the question asks for days."""
    if query.parsed.dialect != "sqlite" or not _DAYS.search(query.words):
        return []
    return [
        node
        for node in query.all(exp.Sub)
        if _tells_a_day(query, node.this) and _tells_a_day(query, node.expression)
    ]


def _tells_a_day(query: Query, side: exp.Expr) -> bool:
    """Whether it is a column of days, or the first or last of one."""
    place = query.place(side.this if isinstance(side, exp.Max | exp.Min) else side)
    return place is not None and is_day(query, place)


def by_julian_day(query: Query, nodes: list[exp.Sub]) -> exp.Query:
    """The query that subtracts numbers of days."""
    tree, twins = query.copied(*nodes)
    for side in [side for twin in twins for side in (twin.this, twin.expression)]:
        side.replace(exp.Anonymous(this="JULIANDAY", expressions=[side.copy()]))
    return tree
