"""Error 6, Table Missing: the query leaves out a table it needs."""

from collections.abc import Iterator

from sqlglot import exp

from critiql.tools.errors.links import Link, column_node, links_of
from critiql.tools.errors.mend.conjuncts import drop_conjunct
from critiql.tools.errors.query import Query, conjuncts
from critiql.tools.errors.types.error_type import BugLabel, ErrorType, Finding, RepairExample
from critiql.tools.errors.types.workbench import Bench, Edit
from critiql.tools.sql.scope import Binding, Scope, Source, Unresolved

KEY = "table_missing"


def column_one_join_away(query: Query) -> Iterator[Finding]:
    """A column that no table in scope has, and a table one foreign key away does."""
    for name in query.resolution.unresolved:
        for link in tables_that_would_help(query, name)[:1]:
            column = name.node.name if isinstance(name.node, exp.Column) else name.name
            on = f"{link.table.name}.{link.column} = {link.other.name}.{link.other_column}"
            yield Finding(
                KEY,
                "rule",
                f"The column {column} belongs to {link.other.name}, which the query does not join.",
                f"Join {link.other.name} on {on}.",
                node=name.node,
                slots={"missing": link.other.name, "condition": on, "columns": column},
            )


def tables_that_would_help(query: Query, name: Unresolved) -> list[Link]:
    """Foreign keys from a table in scope to one outside it that has the unresolved column."""
    if name.kind not in ("column", "qualifier") or name.candidates:
        return []
    column = name.node.name if isinstance(name.node, exp.Column) else name.name
    tables = [source.table for source in name.scope.sources if source.table]
    qualifier = name.node.table if isinstance(name.node, exp.Column) else ""
    meant = query.schema.table(qualifier) if qualifier and name.kind == "qualifier" else None
    links = (link for table in tables for link in links_of(query.schema, table))
    return [
        link
        for link in links
        if link.other not in tables and link.other.column(column) and (meant is None or link.other is meant)
    ]


def dropped_table(bench: Bench) -> Iterator[Edit]:
    """Leave out a joined table with the conditions on it; its other columns give way to the foreign key."""
    for scope in bench.shuffled(bench.query.selects):
        joins = scope.node.args.get("joins") or []
        for source in bench.shuffled(scope.sources):
            pair = _partner(bench.query, scope, source) if source.table is not None else None
            if pair is None:
                continue
            if len(joins) == 1 or source is not scope.sources[0]:
                yield from _without(bench, scope, source, pair)


def _partner(query: Query, scope: Scope, source: Source) -> Binding | None:
    """The column a source is joined with, when one ON equality is all that ties it; else None."""
    pairs = [pair for pair in query.resolution.joins if source in (pair.left.source, pair.right.source)]
    if len(pairs) != 1 or pairs[0].join is None or pairs[0].join.args.get("on") is not pairs[0].node:
        return None
    joins = scope.node.args.get("joins") or []
    gone = joins[:1] if source is scope.sources[0] else [source.node.parent]
    if not gone or gone[0] is not pairs[0].join:
        return None
    left, right = pairs[0].left, pairs[0].right
    other = right if left.source is source else left
    return other if other.source in scope.sources and other.source is not source else None


def _without(bench: Bench, scope: Scope, source: Source, other: Binding) -> Iterator[Edit]:
    where = scope.node.args.get("where")
    uses = bench.columns_of(source)
    if any(bench.query.resolution.scope(node) is not scope for node in uses):
        return
    gone = [part for part in conjuncts(where.this if where else None) if _mentions(part, uses)]
    if any(all(column is not use for use in uses) for part in gone for column in part.find_all(exp.Column)):
        return
    tree, copies = bench.copy(scope.node, source.node, *uses, *gone)
    select, spot, twins, parts = copies[0], copies[1], copies[2 : 2 + len(uses)], copies[2 + len(uses) :]
    for part in parts:
        drop_conjunct(select.args["where"], part)
    several = len(scope.sources) > 2
    for twin in twins:
        if twin.root() is tree:
            key = column_node(other.name, other.source.name if several or _named(scope, other) else None)
            twin.replace(key)
    _take_out(select, spot)
    yield Edit(tree, select.args["from_"], f"{source.name} is left out")


def _mentions(part: exp.Expr, uses: list[exp.Column]) -> bool:
    return any(node is use for node in part.walk() for use in uses)


def _named(scope: Scope, binding: Binding) -> bool:
    """True when the query calls the source by a name the column can be qualified with."""
    return any(source is binding.source for source in scope.sources)


def _take_out(select: exp.Expr, spot: exp.Expr) -> None:
    holder = spot.parent
    if isinstance(holder, exp.Join):
        holder.pop()
        return
    first = select.args["joins"][0]
    first.pop()
    select.args["from_"].set("this", first.this)


TABLE_MISSING = ErrorType(
    number=6,
    name="Table Missing",
    description="The query leaves out a table that is needed for a column or a condition of the question.",
    priority=1,
    guideline="""Where it is needed: $nodes
Located in: $clause
Missing table: $missing
Join it on: $condition
Columns needed from it: $columns""",
    keywords=("missing", "table", "join", "omitted", "absent", "relation"),
    bugs=(BugLabel("Table-Related Errors", "Table Missing"),),
    rules=(column_one_join_away,),
    operators=(dropped_table,),
    examples=(
        RepairExample(
            "Which authors wrote a book in Spanish?",
            "SELECT name FROM authors WHERE language = 'Spanish'",
            "language is a column of books, which has to be joined.",
            "SELECT DISTINCT a.name FROM authors AS a JOIN books AS b ON b.author_id = a.id"
            " WHERE b.language = 'Spanish'",
        ),
    ),
)
