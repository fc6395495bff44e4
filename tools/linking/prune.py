"""The part of a large schema that a question needs, within a budget of tokens.

Tables come in the order of their relevance, each with the table that joins it to those before. A wide table
gives its most relevant columns. Primary keys and the keys between kept tables always stay. What columns leave
of the budget goes to sample rows.
"""

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from critiql.tools.linking.column_index import Relevance, column_index
from critiql.tools.linking.keys import key_columns, neighbours, way_to
from critiql.tools.linking.link import Link
from critiql.tools.linking.qss import holds
from critiql.tools.schema.ddl import ddl
from critiql.tools.schema.model import Column, ForeignKey, Schema, Table
from critiql.tools.schema.quoting import CELL_CHARACTERS

Count = Callable[[str], int]
"""Tokens of a text, as the model counts."""
Show = Callable[[Schema], str]
"""The text of a schema, as the prompt will have it."""

FIRST_COLUMNS = 12
"""Columns that a table brings with it; a wide one's others come when there is room."""
FOR_COLUMNS = 0.85
"""Share of the budget that columns may take before sample rows do."""
LONGEST_WAY = 2
"""Tables between a table and those before it that come along."""
LEAST = 0.25
"""Share of the best table's relevance that a table must have."""
COUNTS = 6
"""Times the tokens of a part are counted; each costs milliseconds."""
COLUMN_TOKENS = 8
"""Tokens that a column hardly stays under."""
CHARACTERS = 4.0
"""Of a token, to begin with."""


def fits(schema: Schema, budget: int, count: Count, show: Show = ddl) -> bool:
    """Whether a schema's text stays within the budget.

    Of a large one only the first tables are printed and counted where these alone do not fit.
    """
    taken = list(accumulate(len(table.columns) for table in schema.tables))
    few = sum(columns <= budget // COLUMN_TOKENS for columns in taken)
    if few < len(taken) and count(show(replace(schema, tables=schema.tables[: few + 1]))) > budget:
        return False
    text = show(schema)
    return len(text.encode()) <= budget or count(text) <= budget


@dataclass(frozen=True, slots=True)
class _Step:
    """Columns, or the sample rows, of one table, to be added to a part."""

    table: str
    columns: tuple[str, ...] = ()
    rows: bool = False
    size: int = 0
    """Characters, roughly."""


def prune(
    schema: Schema,
    question: str,
    budget: int,
    count: Count,
    show: Show = ddl,
    links: Sequence[Link] = (),
) -> Schema:
    """The part of a schema that a question needs and that fits the budget; the best table in any case.

    Args:
        schema: the whole schema; its sample rows are looked at.
        question: the question as asked.
        budget: tokens the text may take.
        count: counts tokens.
        show: prints a schema.
        links: values of the whole database that the question names.
    """
    relevance = column_index(schema).relevance(question, links)
    first, later = _steps(schema, relevance, budget)

    def tokens(steps: Sequence[_Step]) -> int:
        return count(show(_taken(schema, steps)))

    kept = first[: max(1, _most(first, [], int(budget * FOR_COLUMNS), tokens))]
    shown = {step.table for step in kept}
    more = [_rows(schema, name) for name in dict.fromkeys(step.table for step in kept)]
    more += [step for step in later if step.table in shown] + first[len(kept) :]
    return _taken(schema, kept + more[: _most(more, kept, budget, tokens)])


def _steps(schema: Schema, relevance: Relevance, budget: int) -> tuple[list[_Step], list[_Step]]:
    """What to add, the best first: tables with their best columns, and the other columns of wide ones."""
    first: dict[str, _Step] = {}
    later: list[_Step] = []
    columns = 0
    near = column_index(schema).near
    for name in _order(schema, relevance):
        for each in (*(way_to(name, first, near, LONGEST_WAY) if name not in first else ()), name):
            table = schema.by_name[each.casefold()]
            if each not in first:
                ranked = _ranked(table, relevance)
                first[each] = _columns(table, ranked[:FIRST_COLUMNS])
                later += [_columns(table, [column]) for column in ranked[FIRST_COLUMNS:]]
                columns += min(len(ranked), FIRST_COLUMNS)
        if columns > budget // 2:  # a column has two tokens at least: its name, and what ends it
            break
    return list(first.values()), later


def _order(schema: Schema, relevance: Relevance) -> list[str]:
    """Tables that the question speaks of, most of all first; where it speaks of none, all."""
    said = relevance.tables
    least = LEAST * max(said.values(), default=0.0)
    ranked = sorted((name for name in said if said[name] >= least), key=lambda name: (-said[name], name))
    return ranked or [table.name for table in schema.tables]


def _ranked(table: Table, relevance: Relevance) -> list[Column]:
    return sorted(table.columns, key=lambda column: -relevance.columns.get((table.name, column.name), 0.0))


def _columns(table: Table, columns: Sequence[Column]) -> _Step:
    size = sum(len(column.name) + len(column.type) + len(column.comment) + 4 for column in columns)
    return _Step(table.name, tuple(column.name for column in columns), size=size + len(table.name) + 20)


def _rows(schema: Schema, name: str) -> _Step:
    cells = (cell for row in schema.samples.get(name, ()) for cell in row)
    return _Step(name, rows=True, size=sum(min(len(str(cell)), CELL_CHARACTERS) + 3 for cell in cells))


def _most(
    steps: Sequence[_Step], kept: Sequence[_Step], budget: int, tokens: Callable[[Sequence[_Step]], int]
) -> int:
    """How many steps fit, after those that are kept. The text grows with their size, so few are tried."""
    sizes = list(accumulate((step.size for step in (*kept, *steps)), initial=0))[len(kept) :]
    low, high, characters = 0, len(steps), CHARACTERS
    for _ in range(COUNTS):
        if low == high:
            break
        guess = bisect_right(sizes, budget * characters) - 1
        guess = min(max(guess, low + 1), high)
        taken = tokens([*kept, *steps[:guess]])
        low, high = (guess, high) if taken <= budget else (low, guess - 1)
        characters = sizes[guess] / max(1, taken)
    return low


def _taken(schema: Schema, steps: Sequence[_Step]) -> Schema:
    """The part that these steps make up."""
    columns = {(step.table, column) for step in steps for column in step.columns}
    rows = {step.table for step in steps if step.rows}
    return _part(schema, [step.table for step in steps], columns, rows)


def _part(
    schema: Schema,
    tables: Iterable[str],
    columns: Iterable[tuple[str, str]],
    rows: Collection[str] | None = None,
) -> Schema:
    """These tables in the schema's order, with these columns, all primary keys, and the keys between them.

    Args:
        schema: the whole.
        tables: names of the tables.
        columns: (table, column) to keep.
        rows: tables whose sample rows are kept; None for all.
    """
    kept = set(tables)
    ends = set(columns)
    keys: dict[str, list[ForeignKey]] = {name: [] for name in kept}
    for key in (key for table in schema.tables if table.name in kept for key in table.foreign_keys):
        pairs = list(key_columns(schema, key))
        if pairs and {table for pair in pairs for table, _ in pair} <= kept:
            ends.update(end for pair in pairs for end in pair)
            keys[pairs[0][0][0]].append(key)
    parts, samples = [], {}
    for table in (table for table in schema.tables if table.name in kept):
        places = _places(table, ends)
        inner = tuple(table.columns[place] for place in places)
        parts.append(replace(table, columns=inner, foreign_keys=tuple(keys[table.name])))
        if rows is None or table.name in rows:
            found = schema.samples.get(table.name, ())
            samples[table.name] = tuple(tuple(row[place] for place in places) for row in found)
    return Schema(tuple(parts), schema.dialect, samples)


def _places(table: Table, wanted: Collection[tuple[str, str]]) -> list[int]:
    """Positions of the columns that are wanted or a primary key; of a table without any, the first."""
    places = [
        place
        for place, column in enumerate(table.columns)
        if column.primary_key or (table.name, column.name) in wanted
    ]
    return places or list(range(min(1, len(table.columns))))


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
    near = neighbours(schema)
    held = [each for each in links if holds(schema, each)]
    kept: dict[str, None] = {}
    for name in dict.fromkeys((*tables, *(each.table for each in held))):
        if name in near and name not in kept:
            kept |= dict.fromkeys((*way_to(name, kept, near), name))
    named = {(each.table, each.column) for each in held if each.column is not None}
    return _part(schema, kept, named | set(columns)) if kept else schema
