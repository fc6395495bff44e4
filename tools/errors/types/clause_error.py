"""Error 11, Clause Error: GROUP BY, HAVING, ORDER BY or LIMIT is missing or should not be there."""

import re
from collections.abc import Iterator

from sqlglot import exp

from critiql.tools.errors.query import Query, conjuncts, is_aggregate, outermost, own_nodes
from critiql.tools.errors.types.error_type import BugLabel, ErrorType, Finding, RepairExample
from critiql.tools.errors.types.workbench import Bench, Edit

KEY = "clause_error"
_SUPERLATIVE = re.compile(
    r" (?:the|is|has|have) (?:most|least|fewest|highest|lowest|largest|smallest|oldest|youngest"
    r"|longest|shortest) "
)


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
