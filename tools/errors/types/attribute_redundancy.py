"""Error 2, Attribute Redundancy: the query returns columns nobody asked for."""

from collections.abc import Iterator

from sqlglot import exp

from critiql.tools.errors.links import closest
from critiql.tools.errors.mend.listed import without_unlisted
from critiql.tools.errors.query import Query, outermost
from critiql.tools.errors.types.error_type import BugLabel, ErrorType, Finding, RepairExample
from critiql.tools.errors.types.workbench import Bench, Edit
from critiql.tools.sql.scope import Binding

KEY = "attribute_redundancy"


def repeated_column(query: Query) -> Iterator[Finding]:
    """The same column of the same table twice in the list of results.

    Silent where the table has a column of much the same name, start_date and end_date for instance: then the
    second one is rather a mismatch.
    """
    select = outermost(query.tree)
    seen: set[tuple[int, str]] = set()
    for item in select.expressions if select else ():
        binding = query.binding(item)
        if binding is None:
            continue
        key = (id(binding.source), binding.name.casefold())
        if key in seen and not _has_sibling(binding):
            yield Finding(
                KEY,
                "rule",
                f"The result has the column {item.name} twice.",
                f"Return {item.name} once.",
                node=item,
                slots={"redundant": item.name},
            )
        seen.add(key)


def _has_sibling(binding: Binding) -> bool:
    names = [name for name in binding.source.column_names if name.casefold() != binding.name.casefold()]
    return bool(closest(binding.name, names, least=75))


def more_than_listed(query: Query) -> Iterator[Finding]:
    """The question ends with a list of what to show, and the query shows a computed number beside it."""
    mended = without_unlisted(query)
    if mended is not None:
        item = next(item for item in query.tree.selects if query.place(item.unalias()) is None)
        yield Finding(
            KEY,
            "rule",
            f"The question lists what to show, and {item.sql()} is not in it.",
            f"Leave {item.sql()} out.",
            node=item,
            slots={"redundant": item.sql()},
            mended=mended,
        )


def extra_column(bench: Bench) -> Iterator[Edit]:
    """Return one more column of a table the query reads."""
    select = bench.query.tree
    if not isinstance(select, exp.Select) or any(item.find(exp.Star) for item in select.expressions):
        return
    scope = next(scope for scope in bench.query.selects if scope.node is select)
    used = {node.name.casefold() for node in bench.query.all(exp.Column)}
    for source in bench.shuffled(scope.sources):
        columns = source.table.columns if source.table else ()
        for column in bench.shuffled(columns):
            if column.name.casefold() not in used:
                tree, (twin,) = bench.copy(select)
                new = bench.column(source, column, scope)
                twin.append("expressions", new)
                yield Edit(tree, new, f"{column.name} is returned as well")
                break


ATTRIBUTE_REDUNDANCY = ErrorType(
    number=2,
    name="Attribute Redundancy",
    description="The query returns columns that the question neither names nor implies.",
    priority=4,
    guideline="""Columns returned: $nodes
Located in: $clause
Redundant columns: $redundant
Columns the question asks for: $asked""",
    keywords=("redundant", "extra", "unnecessary", "column", "attribute", "additional"),
    bugs=(BugLabel("Attribute-Related Errors", "Attribute Redundancy"),),
    rules=(repeated_column, more_than_listed),
    operators=(extra_column,),
    examples=(
        RepairExample(
            "List the titles of all films from 1999.",
            "SELECT title, year, length FROM films WHERE year = 1999",
            "Only titles are asked for; year and length are redundant.",
            "SELECT title FROM films WHERE year = 1999",
        ),
    ),
)
