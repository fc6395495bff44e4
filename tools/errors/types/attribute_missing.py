"""Error 3, Attribute Missing: the query leaves out a column that was asked for."""

from collections.abc import Iterator

from sqlglot import exp

from critiql.tools.errors.query import Query, is_aggregate
from critiql.tools.errors.types.error_type import BugLabel, ErrorType, Finding, RepairExample
from critiql.tools.errors.types.workbench import Bench, Edit

KEY = "attribute_missing"


def second_column_missing(query: Query) -> Iterator[Finding]:
    """The question asks for "the a and b" of one table, and only one of the two columns is used."""
    select = query.tree
    if not isinstance(select, exp.Select) or len(select.expressions) != 1:
        return
    place = query.place(select.expressions[0])
    if place is None or len(query.selects) != 1:
        return
    used = {node.name.casefold() for node in query.all(exp.Column)}
    first = _spoken(place.column.name)
    for column in place.table.columns:
        if column is place.column or column.name.casefold() in used:
            continue
        second = _spoken(column.name)
        if any(f" the {a} and {b} of " in query.words for a, b in ((first, second), (second, first))):
            yield Finding(
                KEY,
                "rule",
                f"The question asks for {first} and {second}; only {place.column.name} is returned.",
                f"Return {column.name} as well.",
                node=select.expressions[0],
                slots={"missing": str(column.name)},
            )


def _spoken(name: str) -> str:
    return " ".join(name.casefold().replace("_", " ").split())


def dropped_column(bench: Bench) -> Iterator[Edit]:
    """Leave one column out of the result."""
    select = bench.query.tree
    if not isinstance(select, exp.Select) or len(select.expressions) < 2:
        return
    for item in bench.shuffled(select.expressions):
        if isinstance(item, exp.Alias) or (is_aggregate(item) and _ordered_by(select, item)):
            continue
        tree, (twin, spot) = bench.copy(select, item)
        spot.pop()
        yield Edit(tree, twin.expressions[0], f"{item.sql()} is not returned")


def _ordered_by(select: exp.Select, item: exp.Expr) -> bool:
    order = select.args.get("order")
    return order is not None and any(node == item for node in order.walk())


ATTRIBUTE_MISSING = ErrorType(
    number=3,
    name="Attribute Missing",
    description="The query leaves out a column that the question asks for.",
    priority=4,
    guideline="""Columns returned: $nodes
Located in: $clause
Missing columns: $missing
Columns the question asks for: $asked
Tables that hold them: $tables""",
    keywords=("missing", "omitted", "absent", "column", "attribute", "incomplete"),
    bugs=(BugLabel("Attribute-Related Errors", "Attribute Missing"),),
    rules=(second_column_missing,),
    operators=(dropped_column,),
    examples=(
        RepairExample(
            "Give each driver's name and number of trips.",
            "SELECT COUNT(*) FROM trips GROUP BY driver_id",
            "The driver's name is asked for and not returned.",
            "SELECT d.name, COUNT(*) FROM drivers AS d JOIN trips AS t ON t.driver_id = d.id GROUP BY d.id",
        ),
    ),
)
