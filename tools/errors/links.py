"""Foreign keys as edges between tables, and names as the query's dialect wants them written."""

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from rapidfuzz import fuzz, process
from sqlglot import exp

from critiql.tools.schema.model import Schema, Table
from critiql.tools.schema.quoting import quote_name


class Link(NamedTuple):
    """Two columns that a foreign key relates, seen from one of the tables."""

    table: Table
    column: str
    other: Table
    other_column: str
    outward: bool
    """True when `table` holds the foreign key, so at most one row of `other` belongs to each of its rows."""


def links_of(schema: Schema, table: Table) -> Iterator[Link]:
    """Every single-column foreign key from or to a table."""
    for key in schema.foreign_keys:
        if len(key.columns) != 1 or len(key.to_columns) != 1:
            continue
        holder, target = schema.table(key.table), schema.table(key.to_table)
        if holder is None or target is None:
            continue
        if holder is table:
            yield Link(table, key.columns[0], target, key.to_columns[0], outward=True)
        if target is table:
            yield Link(table, key.to_columns[0], holder, key.columns[0], outward=False)


def links_between(schema: Schema, table: Table, other: Table) -> list[Link]:
    """The foreign keys that relate two tables, either way."""
    return [link for link in links_of(schema, table) if link.other is other]


def is_unique(table: Table, column: str) -> bool:
    """True when the column alone is the table's primary key."""
    return [name.casefold() for name in table.primary_key] == [column.casefold()]


def closest(name: str, choices: list[str], *, least: float = 60.0, limit: int = 3) -> list[str]:
    """The choices most like a name, ignoring case, the nearest first."""
    found = process.extract(
        name, choices, scorer=fuzz.WRatio, processor=str.casefold, limit=3 * limit, score_cutoff=least
    )
    near = sorted(
        (choice for choice, _, _ in found), key=lambda choice: -fuzz.ratio(choice.casefold(), name.casefold())
    )
    return near[:limit]


@cache
def identifier(name: str, dialect: str = "sqlite") -> exp.Identifier:
    """A name as an identifier, quoted where it would not be read as one. Copy it before use in a tree."""
    return exp.to_identifier(name, quoted=quote_name(name, dialect) != name)


def column_node(name: str, source: str | None = None, dialect: str = "sqlite") -> exp.Column:
    """A column reference, qualified by its source where one is given."""
    qualifier = identifier(source, dialect).copy() if source else None
    return exp.Column(this=identifier(name, dialect).copy(), table=qualifier)
