"""The question-schema structure (ErrorLLM): a graph of tables, columns and question spans, and pruning by it.

Three kinds of nodes, five of edges: has_column, primary_key_of, foreign_key_to (both ways), and the links
from spans to tables and columns. A column carries its comment and example values, as in M-Schema.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from critiql.tools.linking.link import Link, QuestionSpan
from critiql.tools.schema.ddl import ddl
from critiql.tools.schema.model import ForeignKey, Schema, Table
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
    kept = tuple(each for each in links if _holds(schema, each))
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


def _holds(schema: Schema, each: Link) -> bool:
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
        for one, other in _key_columns(schema, key):
            yield Edge("foreign_key_to", columns[one], columns[other])
            yield Edge("foreign_key_to", columns[other], columns[one])


def _key_columns(schema: Schema, key: ForeignKey) -> Iterator[tuple[tuple[str, str], tuple[str, str]]]:
    """Both ends of a key, pairwise; without target columns it means the primary key."""
    table, target = schema.table(key.table), schema.table(key.to_table)
    if table is None or target is None:
        return
    for mine, theirs in zip(key.columns, key.to_columns or target.primary_key, strict=False):
        one, other = table.column(mine), target.column(theirs)
        if one and other:
            yield (table.name, one.name), (target.name, other.name)


def prune(
    schema: Schema,
    links: Sequence[Link],
    budget: int,
    count_tokens: Callable[[str], int],
    show: Callable[[Schema], str] = ddl,
) -> Schema:
    """The schema itself when its text fits the budget, else the part of it that the links point to.

    Linked tables come first, each with the tables on the shortest way of keys to those before it; then
    their neighbours. Of every kept table the primary key, the foreign keys between kept tables and linked
    columns stay; other columns fill what is left of the budget. The best table stays in any case.

    Args:
        schema: The whole schema.
        links: What the question names in it.
        budget: Tokens the text may take.
        count_tokens: Tokens of a text, as the model counts.
        show: The text of a schema, as the prompt will have it.
    """

    def fits(part: Schema) -> bool:
        return count_tokens(show(part)) <= budget

    if fits(schema):
        return schema
    linked = {(each.table, each.column) for each in links if each.column is not None}
    tables: list[str] = []
    for group in _ranked(schema, links):
        wider = [*tables, *(name for name in group if name not in tables)]
        if tables and not fits(_part(schema, wider, linked)):
            break
        tables = wider
    others = list(_others(schema, tables, linked))
    low, high = 0, len(others)
    while low < high:
        middle = (low + high + 1) // 2
        if fits(_part(schema, tables, linked | set(others[:middle]))):
            low = middle
        else:
            high = middle - 1
    return _part(schema, tables, linked | set(others[:low]))


def _ranked(schema: Schema, links: Sequence[Link]) -> Iterator[list[str]]:
    """Tables to add together: a linked one with its way to those before it; then the neighbours."""
    weight = _weights(schema, links)
    near = _neighbours(schema)
    order = [table.name for table in schema.tables]
    linked = sorted((name for name in order if weight[name] > 0), key=lambda name: -weight[name])
    before: list[str] = []
    for name in linked or order[:1]:
        group = [*_way(name, before, near), name]
        before.extend(group)
        yield group
    rest = sorted(
        (name for name in order if name not in before), key=lambda name: -len(near[name] & set(before))
    )
    yield from ([name] for name in rest)


def _weights(schema: Schema, links: Sequence[Link]) -> Counter[str]:
    """How much the question speaks of each table: the best link of each span, names of tables twice."""
    best: dict[tuple[str, QuestionSpan], float] = {}
    for each in links:
        score = each.score * (2.0 if each.column is None else 1.0)
        best[each.table, each.span] = max(best.get((each.table, each.span), 0.0), score)
    weights: Counter[str] = Counter({table.name: 0 for table in schema.tables})
    for (table, _), score in best.items():
        weights[table] += round(score)
    return weights


def _neighbours(schema: Schema) -> dict[str, set[str]]:
    near: dict[str, set[str]] = {table.name: set() for table in schema.tables}
    for key in schema.foreign_keys:
        for (one, _), (other, _) in _key_columns(schema, key):
            near[one].add(other)
            near[other].add(one)
    return near


def _way(name: str, before: Sequence[str], near: dict[str, set[str]]) -> list[str]:
    """Tables between a table and the nearest one of those before it; empty when none is reached."""
    ways = deque([[name]])
    seen = {name}
    while ways and before:
        way = ways.popleft()
        if way[-1] in before:
            return way[1:-1]
        for other in sorted(near[way[-1]] - seen):
            seen.add(other)
            ways.append([*way, other])
    return []


def _others(schema: Schema, tables: Sequence[str], linked: set[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    for name in tables:
        table = schema.table(name)
        for column in table.columns if table else ():
            if (name, column.name) not in linked:
                yield name, column.name


def _part(schema: Schema, tables: Iterable[str], columns: set[tuple[str, str]]) -> Schema:
    """These tables in the schema's order, with these columns, all primary keys, and the keys between them."""
    kept = set(tables)
    ends = set(columns)
    keys: dict[str, list[ForeignKey]] = {name: [] for name in kept}
    for key in schema.foreign_keys:
        pairs = list(_key_columns(schema, key))
        if pairs and {table for pair in pairs for table, _ in pair} <= kept:
            ends.update(end for pair in pairs for end in pair)
            keys[pairs[0][0][0]].append(key)
    parts, samples = [], {}
    for table in schema.tables:
        if table.name not in kept:
            continue
        places = [
            i
            for i, column in enumerate(table.columns)
            if column.primary_key or (table.name, column.name) in ends
        ] or list(range(min(1, len(table.columns))))
        inner = tuple(table.columns[i] for i in places)
        parts.append(replace(table, columns=inner, foreign_keys=tuple(keys[table.name])))
        rows = schema.samples.get(table.name, ())
        samples[table.name] = tuple(tuple(row[i] for i in places) for row in rows)
    return Schema(tuple(parts), schema.dialect, samples)


def linked_part(
    schema: Schema,
    links: Sequence[Link],
    tables: Sequence[str] = (),
    columns: Iterable[tuple[str, str]] = (),
) -> Schema:
    """What links and given names mean, with the tables on the way, all primary keys, and the keys between.

    Args:
        schema: the whole.
        links: what the question's words name.
        tables: names that are kept as well.
        columns: (table, column) that are kept as well.

    Returns:
        The part; the whole schema where nothing is named.
    """
    near = _neighbours(schema)
    held = [each for each in links if _holds(schema, each)]
    kept: list[str] = []
    for name in dict.fromkeys((*tables, *(each.table for each in held))):
        if name in near and name not in kept:
            kept += [between for between in _way(name, kept, near) if between not in kept]
            kept.append(name)
    named = {(each.table, each.column) for each in held if each.column is not None}
    return _part(schema, kept, named | set(columns)) if kept else schema


def serialise(graph: Qss) -> str:
    """The graph as compact text for a prompt: a line a table with its keys, then a line a link."""
    nodes = {(node.table, node.name): node for node in graph.nodes if isinstance(node, ColumnNode)}
    pairs = [pair for key in graph.schema.foreign_keys for pair in _key_columns(graph.schema, key)]
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
