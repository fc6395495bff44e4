"""Error 1, Attribute Mismatch: the query reads the wrong column."""

from collections.abc import Iterator

from sqlglot import exp

from critiql.tools.errors.links import closest, column_node
from critiql.tools.errors.query import Query
from critiql.tools.errors.types.error_type import BugLabel, ErrorType, Finding, RepairExample
from critiql.tools.errors.types.workbench import Bench, Edit
from critiql.tools.shapes.columns import is_price, product_of
from critiql.tools.sql.scope import Scope, Unresolved

KEY = "attribute_mismatch"


def unknown_column(query: Query) -> Iterator[Finding]:
    """A column no table in scope has, unless a joined table would bring it (that is Table Missing)."""
    from critiql.tools.errors.types.table_missing import tables_that_would_help

    for name in query.resolution.unresolved:
        if name.kind in ("column", "qualifier") and not tables_that_would_help(query, name):
            yield Finding(
                KEY,
                "rule",
                _explanation(name),
                _suggestion(query, name),
                node=name.node,
                slots={"current_column": name.name},
            )


def ambiguous_column(query: Query) -> Iterator[Finding]:
    """A bare column that several tables in scope have."""
    for name in query.resolution.unresolved:
        if name.kind == "ambiguous":
            options = [f"{source.name}.{name.name}" for source in name.candidates]
            yield Finding(
                KEY,
                "rule",
                f"{name.name} may be a column of {' or '.join(source.name for source in name.candidates)}.",
                f"Write {' or '.join(options)}.",
                node=name.node,
                slots={"current_column": name.name, "candidates": ", ".join(options)},
            )


def price_of_today(query: Query) -> Iterator[Finding]:
    """A quantity times the price of another table, where the quantity's own row says what was paid."""
    for node in query.all(exp.Mul):
        for counted, priced in ((node.this, node.expression), (node.expression, node.this)):
            how_many, price = query.place(counted), query.place(priced)
            own = product_of(how_many.table) if how_many is not None else None
            if how_many is None or price is None or own is None or how_many.table is price.table:
                continue
            if how_many.column.name == own[0] and is_price(price.column.name):
                tree, (twin,) = query.copied(priced)
                twin.replace(column_node(own[1], counted.table or None, query.parsed.dialect))
                yield Finding(
                    KEY,
                    "rule",
                    f"{price} is the price of today; {how_many.table.name}.{own[1]} is the one of the row.",
                    f"Use {how_many.table.name}.{own[1]}.",
                    node=priced,
                    slots={"current_column": str(price), "candidates": f"{how_many.table.name}.{own[1]}"},
                    mended=tree,
                )


def text_for_column(query: Query) -> Iterator[Finding]:
    """A double-quoted name in the select list, GROUP BY or ORDER BY that no column bears: it is text."""
    for node in query.resolution.strings:
        holder = node.parent
        if isinstance(holder, exp.Ordered | exp.Group | exp.AggFunc) or node.arg_key == "expressions":
            if isinstance(holder, exp.In | exp.Tuple):
                continue
            scope = query.resolution.scope(node)
            near = closest(node.name, _names_in(scope)) if scope else []
            yield Finding(
                KEY,
                "rule",
                f'No column is called "{node.name}", so it is the same text in every row.',
                f"Did you mean {' or '.join(near)}?" if near else "",
                node=node,
                slots={"current_column": node.name, "candidates": ", ".join(near)},
            )


def _explanation(name: Unresolved) -> str:
    if name.kind == "qualifier":
        return f"The query has no table or alias {name.name} in scope."
    if isinstance(name.node, exp.Column) and name.node.table:
        return f"{name.node.table} has no column {name.name}."
    return f"No table in scope has a column {name.name}."


def _suggestion(query: Query, name: Unresolved) -> str:
    column = name.node.name if isinstance(name.node, exp.Column) else name.name
    if name.candidates:
        return f"Use {' or '.join(f'{source.name}.{column}' for source in name.candidates)}."
    near = closest(column, _names_in(name.scope))
    if near:
        return f"Did you mean {' or '.join(near)}?"
    owners = [table.name for table in query.schema.tables if table.column(column)]
    return f"The column {column} belongs to {' or '.join(owners[:3])}." if owners else ""


def _names_in(scope: Scope) -> list[str]:
    return [name for source in scope.sources for name in source.column_names]


def other_column(bench: Bench) -> Iterator[Edit]:
    """Put another column of the same table in the place of one.

    Never in a join condition or a subquery's output: those are errors of other types.
    """
    query = bench.query
    for node in bench.shuffled(query.all(exp.Column)):
        binding, place = query.binding(node), query.place(node)
        if binding is None or place is None or binding.source.table is None or not _may_change(node):
            continue
        taken = {used.name.casefold() for used in query.all(exp.Column)}
        for other in bench.alike(*place)[:3]:
            if other.name.casefold() not in taken:
                new = column_node(other.name, node.table or None, query.parsed.dialect)
                yield bench.replaced(node, new, f"{place.column.name} became {other.name}")
                break


def _may_change(node: exp.Column) -> bool:
    item: exp.Expr = node
    while item.parent is not None and not isinstance(item.parent, exp.Query):
        compared = isinstance(item.parent, exp.Predicate) and item.parent.find(exp.Literal) is None
        if compared and len(list(item.parent.find_all(exp.Column))) > 1:
            return False
        item = item.parent
    select = item.parent
    if select is None or item.arg_key in ("joins", "having"):
        return False
    while isinstance(select.parent, exp.SetOperation):
        select = select.parent
    inner = isinstance(select.parent, exp.Subquery | exp.In | exp.Exists)
    return not (inner and item.arg_key == "expressions")


ATTRIBUTE_MISMATCH = ErrorType(
    number=1,
    name="Attribute Mismatch",
    description="The query reads the wrong column, or one that does not exist.",
    priority=4,
    guideline="""Wrong column: $nodes
Located in: $clause
Current column: $current_column
Column data type: $data_type
Column the question means: $right_column
Columns to choose from: $candidates""",
    keywords=("attribute", "column", "field", "wrong", "mismatch", "select"),
    bugs=(BugLabel("Attribute-Related Errors", "Attribute Mismatch"),),
    rules=(unknown_column, ambiguous_column, text_for_column, price_of_today),
    operators=(other_column,),
    examples=(
        RepairExample(
            "What are the names of the suppliers in Lyon?",
            "SELECT supplier_id FROM suppliers WHERE city = 'Lyon'",
            "The question asks for names; supplier_id is the key.",
            "SELECT name FROM suppliers WHERE city = 'Lyon'",
        ),
        RepairExample(
            "Which boat is the longest?",
            "SELECT title FROM boats ORDER BY length DESC LIMIT 1",
            "boats has no column title; its name column is called boat_name.",
            "SELECT boat_name FROM boats ORDER BY length DESC LIMIT 1",
        ),
    ),
)
