"""Error 4, Table Mismatch: the query reads the wrong table."""

from collections.abc import Iterator

from sqlglot import exp

from critiql.tools.errors.links import closest, identifier
from critiql.tools.errors.query import Query
from critiql.tools.errors.types.error_type import BugLabel, ErrorType, Finding, RepairExample
from critiql.tools.errors.types.workbench import Bench, Edit
from critiql.tools.schema.model import Table
from critiql.tools.sql.scope import Source

KEY = "table_mismatch"


def unknown_table(query: Query) -> Iterator[Finding]:
    """A table the database does not have."""
    for name in query.resolution.unresolved:
        if name.kind != "table":
            continue
        names = [table.name for table in query.schema.tables]
        near = closest(name.name, names) or names[:5]
        yield Finding(
            KEY,
            "rule",
            f"The database has no table {name.name}.",
            f"Its tables include {', '.join(near)}." if near else "",
            node=name.node,
            slots={"current_table": name.name, "candidates": ", ".join(near)},
        )


def other_table(bench: Bench) -> Iterator[Edit]:
    """Read another table that has all the columns the query uses, in a SELECT from one table."""
    for scope in bench.shuffled(bench.query.selects):
        if len(scope.sources) != 1:
            continue
        source = scope.sources[0]
        if source.table is None or not isinstance(source.node, exp.Table):
            continue
        uses = bench.columns_of(source)
        for table in bench.shuffled(bench.query.schema.tables):
            if table is not source.table and all(table.column(node.name) for node in uses):
                yield _renamed(bench, source, table, uses)


def _renamed(bench: Bench, source: Source, table: Table, uses: list[exp.Column]) -> Edit:
    tree, (spot, *twins) = bench.copy(source.node, *uses)
    name = identifier(table.name, bench.query.parsed.dialect)
    spot.set("this", name.copy())
    for twin in twins:
        if isinstance(twin, exp.Column) and twin.table and not source.node.alias:
            twin.set("table", name.copy())
    return Edit(tree, spot, f"{source.node.name} became {table.name}")


TABLE_MISMATCH = ErrorType(
    number=4,
    name="Table Mismatch",
    description="The query reads a table the question is not about, or one that does not exist.",
    priority=1,
    guideline="""Wrong table: $nodes
Located in: $clause
Current table: $current_table
Table the question is about: $right_table
Columns taken from it: $columns
Tables to choose from: $candidates""",
    keywords=("table", "wrong", "relation", "entity", "mismatch", "from"),
    bugs=(BugLabel("Table-Related Errors", "Table Mismatch"),),
    rules=(unknown_table,),
    operators=(other_table,),
    examples=(
        RepairExample(
            "How many loans were made?",
            "SELECT COUNT(*) FROM books",
            "Loans are rows of loans; books holds the titles.",
            "SELECT COUNT(*) FROM loans",
        ),
    ),
)
