"""Error 9, Condition Error: a condition that is wrong as a whole, contradicts another, or does not belong."""

from collections.abc import Iterator
from itertools import combinations

from sqlglot import exp

from critiql.tools.errors.links import column_node, identifier
from critiql.tools.errors.mend.conjuncts import add_conjunct, drop_conjunct
from critiql.tools.errors.mend.periods import compared_within, without_the_other
from critiql.tools.errors.query import Comparison, Query, conjuncts
from critiql.tools.errors.types.error_type import BugLabel, ErrorType, Finding, RepairExample
from critiql.tools.errors.types.workbench import Bench, Edit
from critiql.tools.sql.scope import Scope

KEY = "condition_error"
_LOWER = (exp.GT, exp.GTE)
_UPPER = (exp.LT, exp.LTE)


def contradiction(query: Query) -> Iterator[Finding]:
    """Two conditions on one column that no row can meet together."""
    by_node = {id(comparison.node): comparison for comparison in query.comparisons}
    for clause in query.all(exp.Where, exp.Having):
        compared = [by_node[id(part)] for part in conjuncts(clause.this) if id(part) in by_node]
        for first, second in combinations(compared, 2):
            if _same_column(query, first, second) and _exclude(first, second):
                yield Finding(
                    KEY,
                    "rule",
                    f"No row meets both {first.node.sql()} and {second.node.sql()}.",
                    "Join them with OR, or use INTERSECT if both must hold of different rows.",
                    node=second.node,
                    slots={"condition": f"{first.node.sql()} AND {second.node.sql()}"},
                    mended=_intersected(query, clause, first, second),
                )


def _intersected(query: Query, clause: exp.Expr, first: Comparison, second: Comparison) -> exp.Query | None:
    """What meets one condition together with what meets the other; None where that would not be the same."""
    select = clause.parent
    shaped = ("group", "having", "order", "limit", "offset")
    if select is None or select is not query.tree or isinstance(clause, exp.Having):
        return None
    if any(map(select.args.get, shaped)) or any(item.find(exp.AggFunc) for item in query.tree.selects):
        return None
    sides = [_without(query, clause, node) for node in (second.node, first.node)]
    return exp.Intersect(this=sides[0], expression=sides[1], distinct=True)


def _without(query: Query, clause: exp.Expr, part: exp.Expr) -> exp.Query:
    tree, (twin, spot) = query.copied(clause, part)
    drop_conjunct(twin, spot)
    return tree


def _same_column(query: Query, first: Comparison, second: Comparison) -> bool:
    one, two = query.binding(first.column), query.binding(second.column)
    return one is not None and two is not None and one.source is two.source and one.name == two.name


def _exclude(first: Comparison, second: Comparison) -> bool:
    """True when no value satisfies both."""
    if isinstance(first.value, str) or isinstance(second.value, str):
        equal = first.operator is exp.EQ and second.operator is exp.EQ
        return equal and type(first.value) is type(second.value) and first.value != second.value
    low, high = _interval(first), _interval(second)
    if low is None or high is None:
        return False
    bottom, top = max(low[0], high[0]), min(low[1], high[1])
    open_end = any(c.operator in (exp.GT, exp.LT) and c.value == bottom for c in (first, second))
    return bottom > top or (bottom == top and open_end)


def _interval(comparison: Comparison) -> tuple[float, float] | None:
    value, infinity = float(comparison.value), float("inf")
    if comparison.operator is exp.EQ:
        return value, value
    if comparison.operator in _LOWER:
        return value, infinity
    return (-infinity, value) if comparison.operator in _UPPER else None


def reversed_between(query: Query) -> Iterator[Finding]:
    """BETWEEN with its larger bound first, which no value meets."""
    for node in query.all(exp.Between):
        low, high = query.constant(node.args["low"]), query.constant(node.args["high"])
        if isinstance(low, int | float) and isinstance(high, int | float) and low > high:
            yield Finding(
                KEY,
                "rule",
                f"No value lies between {low} and {high}.",
                f"Write BETWEEN {high} AND {low}.",
                node=node,
                slots={"condition": node.sql()},
                mended=_turned(query, node),
            )


def _turned(query: Query, between: exp.Between) -> exp.Query:
    tree, (twin,) = query.copied(between)
    low, high = twin.args["low"], twin.args["high"]
    twin.set("low", high)
    twin.set("high", low)
    return tree


def repeated_condition(query: Query) -> Iterator[Finding]:
    """The same condition twice, or a column compared with itself."""
    for clause in query.all(exp.Where, exp.Having):
        parts = conjuncts(clause.this)
        for index, part in enumerate(parts):
            itself = isinstance(part, exp.EQ) and part.this == part.expression
            if part in parts[:index] or (itself and isinstance(part.this, exp.Column)):
                yield Finding(
                    KEY,
                    "rule",
                    f"{part.sql()} says nothing new.",
                    "Leave it out, or put the condition that was meant.",
                    node=part,
                    slots={"condition": part.sql()},
                )


def either_for_both(query: Query) -> Iterator[Finding]:
    """Rows with one value or the other, where the question asks for what has rows of both."""
    select = query.tree
    where = select.args.get("where") if isinstance(select, exp.Select) else None
    if " both " not in query.words or where is None or select.args.get("group") or query.aggregates:
        return
    found = [(part, column) for part in conjuncts(where.this) if (column := _one_of_two(part)) is not None]
    shown = [query.binding(item.unalias()) for item in select.selects]
    owner = shown[0].source if shown and shown[0] is not None else None
    table = owner.table if owner is not None else None
    if len(found) != 1 or owner is None or table is None or len(table.primary_key) != 1:
        return
    condition, column = found[0]
    compared = query.binding(column)
    if (
        compared is None
        or compared.source is owner
        or any(one is None or one.source is not owner for one in shown)
    ):
        return
    tree, (twin,) = query.copied(select)
    key = column_node(table.primary_key[0], owner.name, query.parsed.dialect)
    counted = exp.Count(this=exp.Distinct(expressions=[column.copy()]))
    twin.set("group", exp.Group(expressions=[key]))
    twin.set("having", exp.Having(this=exp.EQ(this=counted, expression=exp.Literal.number(2))))
    twin.set("distinct", None)
    yield Finding(
        KEY,
        "rule",
        f"{condition.sql()} is true of rows with one of the two, and both are asked for.",
        "Group the rows, and take the groups that have both.",
        node=condition,
        slots={"condition": condition.sql()},
        mended=tree,
    )


def _one_of_two(condition: exp.Expr) -> exp.Column | None:
    """The column that a condition allows two values of; None for any other condition."""
    condition = condition.unnest()
    if isinstance(condition, exp.In) and len(condition.expressions) == 2:
        return condition.this if isinstance(condition.this, exp.Column) else None
    if not isinstance(condition, exp.Or):
        return None
    first, second = condition.this.unnest(), condition.expression.unnest()
    equal = isinstance(first, exp.EQ) and isinstance(second, exp.EQ) and first.this == second.this
    return first.this if equal and isinstance(first.this, exp.Column) else None


def other_period_kept(query: Query) -> Iterator[Finding]:
    """A period asked for without another: the rows of the first are never those of the second."""
    mended = without_the_other(query)
    if mended is not None:
        where = query.tree.args["where"]
        yield Finding(
            KEY,
            "rule",
            "No row is of both periods, so that the second condition leaves nothing out.",
            "Take away what the other period has.",
            node=where,
            slots={"condition": where.sql()},
            mended=mended,
        )


def compared_with_all(query: Query) -> Iterator[Finding]:
    """The total of a group in one period, compared with that of all groups in another."""
    mended = compared_within(query)
    if mended is not None:
        having = query.tree.args["having"]
        yield Finding(
            KEY,
            "rule",
            "A group's total is compared with the total of all groups.",
            "Compare with the same group's total.",
            node=having,
            slots={"condition": having.sql()},
            mended=mended,
        )


def other_condition(bench: Bench) -> Iterator[Edit]:
    """Put a condition on another column, with a value of that column, in the place of one."""
    known = {comparison.column.name.casefold() for comparison in bench.query.comparisons}
    for comparison in bench.shuffled(bench.query.comparisons):
        binding, place = bench.query.binding(comparison.column), bench.query.place(comparison.column)
        if binding is None or place is None or comparison.operator is not exp.EQ:
            continue
        for column in bench.alike(*place)[:3]:
            for literal in bench.constants(place.table, column)[:1]:
                left = comparison.column.copy()
                left.set("this", identifier(column.name, bench.query.parsed.dialect).copy())
                new = exp.EQ(this=left, expression=literal)
                if column.name.casefold() not in known:
                    yield bench.replaced(comparison.node, new, f"{comparison.node.sql()} became {new.sql()}")


def extra_condition(bench: Bench) -> Iterator[Edit]:
    """Add a condition on a column the query does not use, with a value that column holds."""
    used = {node.name.casefold() for node in bench.query.all(exp.Column)}
    for scope in bench.shuffled(bench.query.selects):
        for source in scope.sources:
            if source.table is None:
                continue
            columns = [column for column in source.table.columns if column.name.casefold() not in used]
            for column in bench.shuffled(columns)[:2]:
                for literal in bench.constants(source.table, column)[:1]:
                    new = exp.EQ(this=bench.column(source, column, scope), expression=literal)
                    yield _added(bench, scope, new)


def _added(bench: Bench, scope: Scope, new: exp.Expr) -> Edit:
    tree, (select,) = bench.copy(scope.node)
    return Edit(tree, add_conjunct(select, new), f"{new.sql()} is demanded as well")


CONDITION_ERROR = ErrorType(
    number=9,
    name="Condition Error",
    description="A condition is wrong as a whole, contradicts another, or demands what nobody asked.",
    priority=6,
    guideline="""Wrong condition: $nodes
Located in: $clause
Condition now: $condition
Condition the question states: $right_condition
Column data type: $data_type""",
    keywords=("condition", "filter", "wrong", "where", "contradiction", "redundant"),
    bugs=(
        BugLabel("Condition-Related Errors", "Explicit Condition Mismatch"),
        BugLabel("Condition-Related Errors", "Explicit Condition Redundancy"),
    ),
    rules=(
        contradiction,
        reversed_between,
        repeated_condition,
        either_for_both,
        other_period_kept,
        compared_with_all,
    ),
    operators=(other_condition, extra_condition),
    examples=(
        RepairExample(
            "Who plays both chess and go?",
            "SELECT name FROM players WHERE game = 'chess' AND game = 'go'",
            "No row has two games; two sets of names have to be intersected.",
            "SELECT name FROM players WHERE game = 'chess'"
            " INTERSECT SELECT name FROM players WHERE game = 'go'",
        ),
    ),
)
