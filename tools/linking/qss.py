"""The question-schema structure (ErrorLLM): a graph of tables, columns and question spans.

Three kinds of nodes, five of edges: has_column, primary_key_of, foreign_key_to (both ways), and the links
from spans to tables and columns. A column carries its comment and example values, as in M-Schema.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from critiql.tools.linking.keys import key_columns
from critiql.tools.linking.link import Link, QuestionSpan
from critiql.tools.schema.model import Schema, Table
from critiql.tools.schema.quoting import cell_text, quote_name

EXAMPLES = 3
"""Example values of a column node."""

EdgeKind = Literal["has_column", "primary_key_of", "foreign_key_to", "span_table", "span_column"]


@dataclass(frozen=True, slots=True)
class TableNode:
    """A table."""

    name: str


@dataclass(frozen=True, slots=True)
class ColumnNode:
    """A column of a table."""

    table: str
    name: str
    type: str
    comment: str
    examples: tuple[str, ...]
    """Values the question names first, then sampled ones."""


Node = TableNode | ColumnNode | QuestionSpan


@dataclass(frozen=True, slots=True)
class Edge:
    """A directed, typed edge. foreign_key_to stands in the graph once for each direction."""

    kind: EdgeKind
    source: Node
    target: Node
    score: float = 100.0
    """Strength of a link; 100 for what the schema itself says."""


@dataclass(frozen=True, slots=True)
class Qss:
    """The graph of one question and one schema."""

    nodes: tuple[Node, ...]
    """Tables, their columns, then spans, each in the order of schema and question."""
    edges: tuple[Edge, ...]
    schema: Schema
    links: tuple[Link, ...]


def build_qss(schema: Schema, links: Sequence[Link]) -> Qss:
    """The graph; links to what the schema does not hold (any more) are left out."""
    kept = tuple(each for each in links if holds(schema, each))
    tables = {table.name: TableNode(table.name) for table in schema.tables}
    columns = {
        (table.name, column.name): ColumnNode(
            table.name, column.name, column.type, column.comment, _examples(schema, table, position, kept)
        )
        for table in schema.tables
        for position, column in enumerate(table.columns)
    }
    spans = tuple(dict.fromkeys(each.span for each in kept))
    edges = [*_schema_edges(schema, tables, columns)]
    for each in kept:
        if each.column is None:
            edges.append(Edge("span_table", each.span, tables[each.table], each.score))
        else:
            edges.append(Edge("span_column", each.span, columns[each.table, each.column], each.score))
    return Qss((*tables.values(), *columns.values(), *spans), tuple(edges), schema, kept)


def holds(schema: Schema, each: Link) -> bool:
    """Whether the schema has what a link names."""
    table = schema.table(each.table)
    return table is not None and (each.column is None or table.column(each.column) is not None)


def _examples(schema: Schema, table: Table, position: int, links: Sequence[Link]) -> tuple[str, ...]:
    name = table.columns[position].name
    named = [each.value for each in links if (each.table, each.column) == (table.name, name)]
    sampled = [row[position] for row in schema.samples.get(table.name, ())]
    shown = [cell_text(value) for value in (*named, *sampled) if value is not None]
    return tuple(dict.fromkeys(shown))[:EXAMPLES]


def _schema_edges(
    schema: Schema, tables: dict[str, TableNode], columns: dict[tuple[str, str], ColumnNode]
) -> Iterator[Edge]:
    for table in schema.tables:
        for column in table.columns:
            node = columns[table.name, column.name]
            yield Edge("has_column", tables[table.name], node)
            if column.primary_key:
                yield Edge("primary_key_of", node, tables[table.name])
    for key in schema.foreign_keys:
        for one, other in key_columns(schema, key):
            yield Edge("foreign_key_to", columns[one], columns[other])
            yield Edge("foreign_key_to", columns[other], columns[one])


def serialise(graph: Qss) -> str:
    """The graph as compact text for a prompt: a line a table with its keys, then a line a link."""
    nodes = {(node.table, node.name): node for node in graph.nodes if isinstance(node, ColumnNode)}
    pairs = [pair for key in graph.schema.foreign_keys for pair in key_columns(graph.schema, key)]
    refers = dict(reversed(pairs))
    lines = [_table_line(graph, table, nodes, refers) for table in graph.schema.tables]
    return "\n".join([*lines, *_link_lines(graph)])


def _table_line(
    graph: Qss,
    table: Table,
    nodes: dict[tuple[str, str], ColumnNode],
    refers: dict[tuple[str, str], tuple[str, str]],
) -> str:
    dialect = graph.schema.dialect
    shown = []
    for column in table.columns:
        text = quote_name(column.name, dialect)
        text += " pk" if column.primary_key else ""
        if other := refers.get((table.name, column.name)):
            text += f" -> {quote_name(other[0], dialect)}.{quote_name(other[1], dialect)}"
        examples = nodes[table.name, column.name].examples
        text += f" [{', '.join(examples)}]" if examples else ""
        shown.append(text)
    return f"{quote_name(table.name, dialect)}({', '.join(shown)})"


def _link_lines(graph: Qss) -> list[str]:
    lines = []
    for each in graph.links:
        place = each.table if each.column is None else f"{each.table}.{each.column}"
        value = "" if each.value is None else f" = '{cell_text(each.value)}'"
        lines.append(f'"{cell_text(each.span.text)}": {place}{value}')
    return list(dict.fromkeys(lines))
