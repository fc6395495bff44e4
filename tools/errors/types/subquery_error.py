"""Error 14, Subquery Error: a nested query or an arm of a set operation is missing, partial or wrong."""

from collections.abc import Iterator

from sqlglot import exp

from critiql.tools.errors.links import column_node
from critiql.tools.errors.mend.key_path import Key, joins_along, sources_of, stands_for, way_between
from critiql.tools.errors.query import COMPARISONS, Query, conjuncts, is_aggregate
from critiql.tools.errors.types.error_type import BugLabel, ErrorType, Finding, RepairExample
from critiql.tools.errors.types.workbench import Bench, Edit, arms
from critiql.tools.sql.scope import Binding

KEY = "subquery_error"


def several_columns(query: Query) -> Iterator[Finding]:
    """A subquery of several columns where one value is wanted: in IN, or compared with a column."""
    for inner in query.all(exp.Subquery):
        select = inner.this
        if not _wants_one_value(inner) or not isinstance(select, exp.Select):
            continue
        width = len(select.expressions)
        if width > 1 and not any(item.is_star for item in select.expressions):
            yield _finding(
                inner, f"The subquery returns {width} columns where one is wanted.", "Return one column."
            )


def _wants_one_value(inner: exp.Subquery) -> bool:
    holder = inner.parent
    if isinstance(holder, exp.In):
        return not isinstance(holder.this, exp.Tuple)
    if isinstance(holder, COMPARISONS):
        return not any(isinstance(side, exp.Tuple) for side in (holder.this, holder.expression))
    return False


def uneven_arms(query: Query) -> Iterator[Finding]:
    """The two sides of UNION, INTERSECT or EXCEPT have different numbers of columns."""
    for operation in query.all(exp.Union, exp.Intersect, exp.Except):
        selects = list(arms(operation))
        widths = {len(select.expressions) for select in selects}
        stars = any(item.is_star for select in selects for item in select.expressions)
        if len(widths) > 1 and not stars:
            wide = " and ".join(str(len(select.expressions)) for select in selects)
            explanation = f"The sides of {operation.key.upper()} return {wide} columns."
            yield _finding(operation, explanation, "Return the same columns on both sides.")


def unrelated_membership(query: Query) -> Iterator[Finding]:
    """`a IN (SELECT b ...)` where every value of both columns is known and they share none."""
    for node in query.all(exp.In):
        if isinstance(node.parent, exp.Not):
            continue
        inner = node.args.get("query")
        select = inner.this if isinstance(inner, exp.Subquery) else None
        if not isinstance(select, exp.Select) or len(select.expressions) != 1:
            continue
        outer_place, inner_place = query.place(node.this), query.place(select.expressions[0])
        if outer_place is None or inner_place is None:
            continue
        outer_values, inner_values = query.distinct(outer_place), query.distinct(inner_place)
        if outer_values and inner_values and not {*map(str, outer_values)} & {*map(str, inner_values)}:
            yield _finding(
                node,
                f"{outer_place} and {inner_place} have no value in common.",
                "Compare columns that refer to each other.",
            )


def member_of_other_keys(query: Query) -> Iterator[Finding]:
    """`a IN (SELECT b ...)` of keys of different things, where one way of foreign keys leads from b's to a's.

    With NOT IN the mistake keeps nearly every row, and looks like an answer.
    """
    for node in query.all(exp.In):
        inner = node.args.get("query")
        select = inner.this if isinstance(inner, exp.Subquery) else None
        if not isinstance(select, exp.Select) or len(select.expressions) != 1:
            continue
        outer, held = query.binding(node.this), query.binding(select.expressions[0])
        if outer is None or held is None or outer.table is None or held.table is None:
            continue
        wanted = stands_for(query.schema, outer.table, outer.name)
        other = stands_for(query.schema, held.table, held.name)
        if (
            wanted is None
            or other is None
            or wanted == other
            or outer.name.casefold() == held.name.casefold()
        ):
            continue
        mended = _leading_to(query, select, held, wanted)
        if mended is not None:
            explanation = (
                f"{outer.table.name}.{outer.name} and {held.table.name}.{held.name} are different keys."
            )
            yield _finding(node, explanation, "Compare the same key on both sides.", mended)


def _leading_to(query: Query, select: exp.Select, held: Binding, wanted: Key) -> exp.Query | None:
    """The query whose subquery returns the wanted key, over the tables that lead to it."""
    target = query.schema.table(wanted[0])
    if target is None or held.table is None or held.source.node.parent_select is not select:
        return None
    way = way_between(query.schema, held.table, target)
    if not way or not way[-1].outward or way[-1].other_column.casefold() != wanted[1]:
        return None
    if sources_of(query, [link.other for link in way[:-1]]):
        return None
    tree, (twin,) = query.copied(select)
    joins = joins_along(query, held.source.name, way[:-1], None)
    last = joins[-1].this.alias_or_name if joins else held.source.name
    twin.set("joins", [*(twin.args.get("joins") or []), *joins])
    twin.set("expressions", [column_node(way[-1].column, last, query.parsed.dialect)])
    return tree


def many_rows_for_one(query: Query) -> Iterator[Finding]:
    """`=` with a subquery that returns a plain column of every row: only its first row is compared."""
    for inner in query.all(exp.Subquery):
        select = inner.this
        if not isinstance(inner.parent, COMPARISONS) or not isinstance(select, exp.Select):
            continue
        if any(select.args.get(part) for part in ("where", "limit", "group", "having", "joins", "distinct")):
            continue
        if len(select.expressions) == 1 and query.place(select.expressions[0]) is not None:
            yield _finding(
                inner,
                "The subquery returns a value for every row, and one is compared.",
                "Use IN, or MAX or MIN.",
            )


def _finding(node: exp.Expr, explanation: str, suggestion: str, mended: exp.Query | None = None) -> Finding:
    slots = {"subquery": node.sql(), "reason": explanation}
    return Finding(KEY, "rule", explanation, suggestion, node=node, slots=slots, mended=mended)


def dropped_subquery(bench: Bench) -> Iterator[Edit]:
    """Leave out a condition that holds a subquery."""
    for clause in bench.shuffled(bench.query.all(exp.Where, exp.Having)):
        for part in bench.shuffled(conjuncts(clause.this)):
            if part.find(exp.Query):
                yield bench.without_conjunct(clause, part, "the condition with a subquery is left out")


def partial_query(bench: Bench) -> Iterator[Edit]:
    """Keep one side of a set operation, or combine the sides otherwise."""
    kinds: tuple[type[exp.SetOperation], ...] = (exp.Union, exp.Intersect, exp.Except)
    for operation in bench.shuffled(bench.query.all(*kinds)):
        for side in bench.shuffled((operation.this, operation.expression)):
            if isinstance(side, exp.Select):
                yield bench.replaced(operation, side.copy(), f"only one side of {operation.key} is left")
        kind = bench.rng.choice([kind for kind in kinds if not isinstance(operation, kind)])
        new = kind(this=operation.this.copy(), expression=operation.expression.copy(), distinct=True)
        yield bench.replaced(operation, new, f"{operation.key} became {kind.key}")


def other_inner_column(bench: Bench) -> Iterator[Edit]:
    """Let a subquery in a condition return another column of its table."""
    for inner in bench.shuffled(bench.query.all(exp.Subquery)):
        select = inner.this
        if not isinstance(inner.parent, exp.In | exp.Binary) or not isinstance(select, exp.Select):
            continue
        item = select.expressions[0]
        target = item.this if is_aggregate(item) else item
        place = bench.query.place(target)
        for other in bench.alike(*place)[:2] if place else ():
            new = column_node(other.name, target.table or None, bench.query.parsed.dialect)
            yield bench.replaced(target, new, f"the subquery returns {other.name}")


SUBQUERY_ERROR = ErrorType(
    number=14,
    name="Subquery Error",
    description="A nested query or one side of a set operation is missing, incomplete, or wrong.",
    priority=3,
    guideline="""Where: $nodes
Located in: $clause
Subquery now: $subquery
Why it is wrong: $reason
What the subquery should return: $right_subquery""",
    keywords=("subquery", "nested", "inner", "query", "union", "intersect", "except", "partial"),
    bugs=(
        BugLabel("Subquery-Related Errors", "Subquery Missing"),
        BugLabel("Subquery-Related Errors", "Subquery Mismatch"),
        BugLabel("Subquery-Related Errors", "Partial Query"),
    ),
    rules=(several_columns, uneven_arms, unrelated_membership, member_of_other_keys, many_rows_for_one),
    operators=(dropped_subquery, partial_query, other_inner_column),
    examples=(
        RepairExample(
            "Which songs are longer than the average song?",
            "SELECT title FROM songs WHERE seconds > (SELECT seconds FROM songs)",
            "The subquery has to return the average, one value.",
            "SELECT title FROM songs WHERE seconds > (SELECT AVG(seconds) FROM songs)",
        ),
    ),
)
