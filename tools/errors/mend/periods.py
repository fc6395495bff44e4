"""Questions about periods: one compared with another, one without another, and steps of time."""

import re

from sqlglot import exp

from critiql.tools.errors.links import column_node
from critiql.tools.errors.mend.conjuncts import add_conjunct, drop_conjunct
from critiql.tools.errors.mend.days import is_day
from critiql.tools.errors.query import Query, conjuncts
from critiql.tools.shapes.columns import days_of
from critiql.tools.shapes.periods import When

_YEAR = re.compile(r"(?:19|20)\d\d")
_MONTHS = re.compile(r" (?:(?:per|by|each|every) month|monthly|month by month|for each calendar month)[. ]")
_YEARS = re.compile(r" (?:(?:per|by|each|every) year|yearly|annually|year by year)[. ]")
_LENGTH = {"month": 7, "year": 4}
"""Characters of an ISO day that name its month or its year."""


def compared_within(query: Query) -> exp.Query | None:
    """Each group's total of one period against its own of another, not against everybody's.

    Mends GROUP BY k HAVING COUNT(*) > (SELECT COUNT(*) ... WHERE the other period), in which the subquery
    counts the rows of all groups.
    """
    select = query.tree
    clause = select.args.get("having")
    if not isinstance(select, exp.Select) or not isinstance(clause, exp.Having):
        return None
    test = clause.this
    if not isinstance(test, exp.GT | exp.LT | exp.GTE | exp.LTE) or not isinstance(
        test.expression, exp.Subquery
    ):
        return None
    inner = test.expression.this
    if not isinstance(inner, exp.Select) or not isinstance(test.this, exp.Count | exp.Sum):
        return None
    if isinstance(test.this.this, exp.Distinct):
        return None
    if [type(item.unalias()) for item in inner.expressions] != [type(test.this)]:
        return None
    found = _same_but_the_period(select, inner)
    if found is None:
        return None
    mine, theirs = found
    tree, (twin, old, comparison) = query.copied(select, mine, test)
    drop_conjunct(twin.args["where"], old)
    of_row = exp.Literal.number(1) if isinstance(test.this, exp.Count) else test.this.this
    comparison.replace(
        type(test)(this=_total_in(mine, of_row), expression=_total_in(_moved(mine, theirs), of_row))
    )
    return tree


def _same_but_the_period(outer: exp.Select, inner: exp.Select) -> tuple[exp.Expr, exp.Expr] | None:
    """The conditions of both that differ in the period alone."""
    wheres = [one.args.get("where") for one in (outer, inner)]
    mine, theirs = (conjuncts(where.this if where is not None else None) for where in wheres)
    shapes = {_shape(one): one for one in theirs if _YEAR.search(one.sql())}
    pairs = [(one, shapes[_shape(one)]) for one in mine if _shape(one) in shapes]
    differing = [(one, other) for one, other in pairs if _years(one) != _years(other)]
    return differing[0] if len(differing) == 1 and not inner.args.get("group") else None


def _shape(condition: exp.Expr) -> str:
    """A condition without its period and without qualifiers."""
    return _YEAR.sub("Y", re.sub(r"\b\w+\.(?=\w)", "", condition.sql().casefold()))


def _years(condition: exp.Expr) -> list[str]:
    return _YEAR.findall(condition.sql())


def _moved(condition: exp.Expr, other: exp.Expr) -> exp.Expr:
    """The condition with the other one's constants in the place of its own."""
    moved = condition.copy()
    constants = zip(list(moved.find_all(exp.Literal)), list(other.find_all(exp.Literal)), strict=False)
    for mine, theirs in constants:
        mine.replace(theirs.copy())
    return moved


def _total_in(period: exp.Expr, of_row: exp.Expr) -> exp.Sum:
    case = exp.Case(
        ifs=[exp.If(this=period.copy(), true=of_row.copy())],
        default=exp.Literal.number(0),
    )
    return exp.Sum(this=case)


def without_the_other(query: Query) -> exp.Query | None:
    """What a period has and another has not: x LIKE '2023%' AND x NOT LIKE '2024%' says the first alone."""
    select = query.tree
    where = select.args.get("where") if isinstance(select, exp.Select) else None
    if where is None or select.args.get("limit") or select.args.get("group") or query.aggregates:
        return None
    parts = conjuncts(where.this)
    likes = [part for part in parts if isinstance(part, exp.Like) and _years(part)]
    said = {like.this.sql(): like for like in likes if not like.args.get("negate")}
    denied = [
        (like, said[like.this.sql()]) for like in likes if like.args.get("negate") and like.this.sql() in said
    ]
    if len(denied) != 1 or _years(denied[0][0]) == _years(denied[0][1]):
        return None
    negation, like = denied[0]
    first, (clause, gone) = query.copied(where, negation)
    drop_conjunct(clause, gone)
    second, (other, again, period) = query.copied(where, negation, like)
    period.set("expression", again.expression.copy())
    drop_conjunct(other, again)
    for arm in (first, second):
        arm.set("order", None)
    return exp.Except(this=first, expression=second, distinct=True)


def of_the_year(query: Query, year: int) -> exp.Query | None:
    """The rows of a year alone, where one column of the tables in use holds days; None if not."""
    if not _YEAR.fullmatch(str(year)) or len(query.selects) != 1:
        return None
    dialect, scope = query.parsed.dialect, query.selects[0]
    found = [
        (source.name, day)
        for source in scope.sources
        if source.table is not None
        for day in days_of(query.schema, source.table)
    ]
    if len(found) != 1:
        return None
    called, day = found[0]
    column = column_node(day.column, called if len(scope.sources) > 1 else None, dialect)
    tree, (twin,) = query.copied(scope.node)
    test = When(column.sql(dialect), day.typed, dialect).is_in(year)
    add_conjunct(twin, exp.condition(test, dialect=dialect))
    return tree


def steps_of_time(query: Query) -> exp.Query | None:
    """Groups by month or year, where the query groups by the days themselves."""
    step = next(
        (name for name, said in (("month", _MONTHS), ("year", _YEARS)) if said.search(query.words)), None
    )
    select = query.tree
    grouped = select.args.get("group") if isinstance(select, exp.Select) else None
    if step is None or grouped is None or query.parsed.dialect != "sqlite" or len(query.selects) != 1:
        return None
    days = [key for key in grouped.expressions if (place := query.place(key)) and is_day(query, place)]
    if len(days) != 1:
        return None
    uses = [node for node in select.find_all(exp.Column) if node == days[0] and _is_shown_whole(node)]
    tree, twins = query.copied(*uses)
    for twin in twins:
        arguments = [twin.copy(), exp.Literal.number(1), exp.Literal.number(_LENGTH[step])]
        taken = exp.Substring(this=arguments[0], start=arguments[1], length=arguments[2])
        is_item = isinstance(twin.parent, exp.Select) and twin.arg_key == "expressions"
        twin.replace(exp.alias_(taken, step) if is_item else taken)
    return tree


def _is_shown_whole(node: exp.Column) -> bool:
    """Whether the day itself is shown, grouped or sorted by; a condition on it stays."""
    return node.find_ancestor(exp.Where, exp.Join, exp.AggFunc) is None
