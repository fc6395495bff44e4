"""Error 11, Clause Error: GROUP BY, HAVING, ORDER BY or LIMIT is missing or should not be there."""

import re
from collections.abc import Iterator, Sequence

from sqlglot import exp

from critiql.tools.errors.links import column_node
from critiql.tools.errors.mend.conjuncts import add_conjunct
from critiql.tools.errors.mend.ends import all_that_are_first, first_of_each
from critiql.tools.errors.mend.periods import steps_of_time
from critiql.tools.errors.mend.top_of_each import IN_ORDER, top_of_each
from critiql.tools.errors.query import Query, conjuncts, is_aggregate, outermost, own_nodes
from critiql.tools.errors.types.error_type import BugLabel, ErrorType, Finding, RepairExample
from critiql.tools.errors.types.workbench import Bench, Edit
from critiql.tools.shapes.columns import names_of
from critiql.tools.sql.scope import Source

KEY = "clause_error"
_SUPERLATIVE = re.compile(
    r" (?:the|is|has|have) (?:most|least|fewest|highest|lowest|largest|smallest|oldest|youngest"
    r"|longest|shortest) "
)
_ABOUT_NAMES = re.compile(
    r" (?:same|shared?|common|distinct|different) (?:\w+ ){0,3}names? | names? (?:are|is) shared "
)
_ALL = re.compile(r" (?:each|every|all|per) ")
_SUPERLATIVE_WORD = re.compile(r" (?:most|least|top|\w{3,}est|best) ")
_NUMBER = re.compile(r" (?:\d+|one|two|three|four|five|six|seven|eight|nine|ten|twenty) ")


def missing_group_by(query: Query) -> Iterator[Finding]:
    """A bare column beside an aggregate without GROUP BY: one row comes back, its column an arbitrary one.

    SQLite defines it for MIN and MAX alone (sqlite.org/quirks.html), so those are let pass.
    """
    for scope in query.selects:
        select = scope.node
        if select.args.get("group"):
            continue
        calls = [call for item in select.expressions for call in own_nodes(item) if is_aggregate(call)]
        if not calls or any(isinstance(call, exp.Min | exp.Max) for call in calls):
            continue
        for item in select.expressions:
            if query.place(item) is not None and not _fixed(select, item):
                yield Finding(
                    KEY,
                    "rule",
                    f"{item.sql()} stands beside an aggregate without GROUP BY, so only one row comes back.",
                    f"Add GROUP BY {item.sql()}, or leave the column out.",
                    node=item,
                    slots={"missing": f"GROUP BY {item.sql()}"},
                )
                break


def _fixed(select: exp.Select, item: exp.Expr) -> bool:
    """True when WHERE gives the column one value, or picks rows by what a subquery found."""
    where = select.args.get("where")
    equalities = [part for part in conjuncts(where.this if where else None) if isinstance(part, exp.EQ)]
    return any(item in (part.left, part.right) or part.find(exp.Query) for part in equalities)


def having_without_aggregate(query: Query) -> Iterator[Finding]:
    """HAVING without any aggregate, in a query that groups nothing."""
    for clause in query.all(exp.Having):
        select = clause.parent
        if select is None or select.args.get("group") or any(map(is_aggregate, own_nodes(select))):
            continue
        yield Finding(
            KEY,
            "rule",
            "HAVING filters groups, and the query has none.",
            "Put the condition in WHERE.",
            node=clause,
            slots={"redundant": clause.sql()},
        )


def limit_without_order(query: Query) -> Iterator[Finding]:
    """LIMIT without ORDER BY, although the question asks for an extreme: the rows are arbitrary."""
    select = query.tree
    limited = select.args.get("limit") if isinstance(select, exp.Select) else None
    if limited is not None and not select.args.get("order") and _SUPERLATIVE.search(query.words):
        yield Finding(
            KEY,
            "rule",
            "LIMIT without ORDER BY returns arbitrary rows.",
            "Add the ORDER BY that the question implies.",
            node=limited,
            slots={"missing": "ORDER BY"},
        )


def everything_for_a_superlative(query: Query) -> Iterator[Finding]:
    """The question asks for the one with the most or least, and the query returns every row."""
    select = outermost(query.tree)
    if select is not query.tree or select is None or not _SUPERLATIVE.search(query.words):
        return
    clauses = ("where", "limit", "having", "joins", "group", "order")
    plain = not any(select.args.get(clause) for clause in (*clauses, "distinct")) and not query.aggregates
    if plain and len(query.selects) == 1 and not _named_like_the_superlative(query, select):
        yield Finding(
            KEY,
            "rule",
            "The question asks for an extreme, and the query returns every row.",
            "Order by the quantity meant and take the first row.",
            node=select,
            slots={"missing": "ORDER BY ... LIMIT 1"},
        )


def _named_like_the_superlative(query: Query, select: exp.Select) -> bool:
    found = _SUPERLATIVE.search(query.words)
    word = found[0].split()[-1] if found else ""
    return any(word in item.sql().casefold() for item in select.expressions)


def names_that_repeat(query: Query) -> Iterator[Finding]:
    """Rows of another table counted or added up by first and last name, which two people share.

    One column that names a row is let pass: products or airports of the same name may be meant as one.
    """
    for scope in query.selects:
        grouped = scope.node.args.get("group")
        if not grouped or len(scope.sources) < 2 or _ABOUT_NAMES.search(query.words):
            continue
        for source in scope.sources:
            keys = [key for key in grouped.expressions if _is_name(query, key, source)]
            table = source.table
            if table is None or len(keys) < 2 or len(table.primary_key) != 1:
                continue
            if query.values is not None and query.values.repeats(table.name, names_of(table)):
                yield _by_key(query, grouped, keys, source)


def _is_name(query: Query, key: exp.Expr, source: Source) -> bool:
    """Whether it is a column that names the rows of the source."""
    binding = query.binding(key)
    return binding is not None and binding.source is source and binding.name in _names_of(source)


def _names_of(source: Source) -> tuple[str, ...]:
    """The columns that name a row of the source's table."""
    return names_of(source.table) if source.table is not None else ()


def _by_key(query: Query, grouped: exp.Expr, names: Sequence[exp.Expr], source: Source) -> Finding:
    table = source.table
    assert table is not None
    key = table.primary_key[0]
    tree, (twin,) = query.copied(grouped)
    kept = [one.copy() for one in grouped.expressions if one not in names]
    twin.set("expressions", [column_node(key, source.name, query.parsed.dialect), *kept])
    return Finding(
        KEY,
        "rule",
        f"Some rows of {table.name} share a name, and are taken for one.",
        f"Group by {table.name}.{key}.",
        node=grouped,
        slots={"redundant": grouped.sql(), "missing": f"GROUP BY {table.name}.{key}"},
        mended=tree,
    )


def having_of_every_group(query: Query) -> Iterator[Finding]:
    """HAVING COUNT(*) > 0, which every group has, also that of NULL, which is meant to be left out."""
    for clause in query.all(exp.Having):
        select = clause.parent_select
        grouped = select.args.get("group") if select is not None else None
        if select is None or grouped is None or not _is_true_of_every_group(clause.this):
            continue
        places = [(key, query.place(key)) for key in grouped.expressions]
        empty = [key for key, place in places if place is not None and query.holds_null(place)]
        if empty:
            tree, (twin,) = query.copied(select)
            twin.set("having", None)
            for key in empty:
                add_conjunct(twin, exp.Not(this=exp.Is(this=key.copy(), expression=exp.Null())))
            yield Finding(
                KEY,
                "rule",
                f"{clause.this.sql()} is true of every group, also of the rows without {empty[0].sql()}.",
                "Leave these rows out in WHERE.",
                node=clause,
                slots={"redundant": clause.sql()},
                mended=tree,
            )


def _is_true_of_every_group(condition: exp.Expr) -> bool:
    """Whether it says that a group has a row."""
    if not isinstance(condition, exp.GT | exp.GTE) or not isinstance(condition.this, exp.Count):
        return False
    least = "0" if isinstance(condition, exp.GT) else "1"
    return isinstance(condition.this.this, exp.Star) and condition.expression.sql() == least


def first_of_several(query: Query) -> Iterator[Finding]:
    """The question says that all are to be listed where several are first, and LIMIT 1 keeps one."""
    mended = all_that_are_first(query)
    if mended is not None:
        yield Finding(
            KEY,
            "rule",
            "The question asks for all that are first, and LIMIT 1 keeps one.",
            "Compare with the first value.",
            node=query.tree.args["limit"],
            slots={"redundant": "LIMIT 1"},
            mended=mended,
        )


def days_for_steps(query: Query) -> Iterator[Finding]:
    """The question asks by month or by year, and the query groups by the days themselves."""
    mended = steps_of_time(query)
    if mended is not None:
        grouped = query.tree.args["group"]
        yield Finding(
            KEY,
            "rule",
            "The question asks for longer periods than the days that are grouped by.",
            "Group by the month or the year of the day.",
            node=grouped,
            slots={"redundant": grouped.sql()},
            mended=mended,
        )


def every_day_for_the_first(query: Query) -> Iterator[Finding]:
    """The question asks when each thing was first, or last, and the query returns every day of each."""
    found = first_of_each(query)
    if found is not None:
        yield Finding(
            KEY,
            "rule",
            f"The question asks for the first or last day of each, and {found.day.sql()} is every one.",
            f"Group by {found.key.sql()}.",
            node=found.day,
            slots={"missing": f"GROUP BY {found.key.sql()}"},
            mended=found.tree,
        )


def limit_not_asked(query: Query) -> Iterator[Finding]:
    """The question asks for all, in an order ("most first"), and LIMIT keeps the first few."""
    limit = query.tree.args.get("limit")
    left, ordered = IN_ORDER.subn(" ", query.words)
    most = query.constant(limit.expression) if isinstance(limit, exp.Limit) else None
    if not ordered or not isinstance(most, int) or not query.tree.args.get("order"):
        return
    if not _ALL.search(left) or _SUPERLATIVE_WORD.search(left) or _NUMBER.search(left):
        return
    tree, (twin,) = query.copied(query.tree)
    twin.set("limit", None)
    yield Finding(
        KEY,
        "rule",
        f"The question asks for all in an order, and LIMIT keeps {most}.",
        "Leave LIMIT out.",
        node=limit,
        slots={"redundant": f"LIMIT {most}"},
        mended=tree,
    )


def top_of_all(query: Query) -> Iterator[Finding]:
    """The question asks for the most of each group, and what is sorted is everything."""
    mended = top_of_each(query)
    if mended is not None:
        yield Finding(
            KEY,
            "rule",
            "The question asks for the top of each group, and the query sorts all of them together.",
            "Rank the rows within each group.",
            node=query.tree.args["order"],
            slots={"redundant": query.tree.args["order"].sql(), "missing": "RANK() OVER (PARTITION BY ...)"},
            mended=mended,
        )


def dropped_clause(bench: Bench) -> Iterator[Edit]:
    """Leave out HAVING, GROUP BY, ORDER BY together with its LIMIT, or LIMIT alone."""
    clauses = [*bench.query.all(exp.Having, exp.Group, exp.Order, exp.Limit)]
    for clause in bench.shuffled(clauses):
        select = clause.parent
        if not isinstance(select, exp.Select) or (
            isinstance(clause, exp.Group) and select.args.get("having")
        ):
            continue
        edit = bench.removed(clause, f"{clause.sql()} is left out")
        if isinstance(clause, exp.Order) and isinstance(edit.node, exp.Select):
            edit.node.set("limit", None)
        yield edit


def added_clause(bench: Bench) -> Iterator[Edit]:
    """Add a LIMIT nobody asked for, or a GROUP BY on a returned column."""
    for scope in bench.shuffled(bench.query.selects):
        select = scope.node
        columns = [item for item in select.expressions if isinstance(item, exp.Column)]
        if not select.args.get("group") and columns and not select.args.get("distinct"):
            tree, (twin, item) = bench.copy(select, bench.rng.choice(columns))
            group = exp.Group(expressions=[item.copy()])
            twin.set("group", group)
            yield Edit(tree, group, f"{group.sql()} is added")
        if select is bench.query.tree and not select.args.get("limit"):
            tree, (twin,) = bench.copy(select)
            limit = exp.Limit(expression=exp.Literal.number(1))
            twin.set("limit", limit)
            yield Edit(tree, limit, "LIMIT 1 is added")


CLAUSE_ERROR = ErrorType(
    number=11,
    name="Clause Error",
    description="GROUP BY, HAVING, ORDER BY or LIMIT is missing, or is there without need.",
    priority=5,
    guideline="""Where: $nodes
Located in: $clause
Missing clause: $missing
Redundant clause: $redundant
What the question demands: $asked""",
    keywords=("clause", "group", "order", "having", "limit", "sort"),
    bugs=(
        BugLabel("Clause-Related Errors", "Clause Missing"),
        BugLabel("Clause-Related Errors", "Clause Redundancy"),
    ),
    rules=(
        missing_group_by,
        having_without_aggregate,
        limit_without_order,
        everything_for_a_superlative,
        names_that_repeat,
        top_of_all,
        days_for_steps,
        every_day_for_the_first,
        limit_not_asked,
        having_of_every_group,
        first_of_several,
    ),
    operators=(dropped_clause, added_clause),
    examples=(
        RepairExample(
            "How many flats does each building have?",
            "SELECT building_id, COUNT(*) FROM flats",
            "Without GROUP BY the whole table is one group.",
            "SELECT building_id, COUNT(*) FROM flats GROUP BY building_id",
        ),
    ),
)
