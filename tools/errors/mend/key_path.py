"""What a key column stands for, and the one way of foreign keys between two tables."""

from collections.abc import Iterator, Sequence

from sqlglot import exp

from critiql.tools.errors.links import Link, column_node, identifier, is_unique, links_of
from critiql.tools.errors.query import Query
from critiql.tools.schema.model import Schema, Table
from critiql.tools.sql.scope import Source

Key = tuple[str, str]
"""A table and its key column, both case-folded."""
LONGEST_WAY = 4
"""Foreign keys in a row that are followed."""
MOST_WAYS = 400
"""Ways that are looked at; a schema with more has no single one worth taking."""


def stands_for(schema: Schema, table: Table, column: str) -> Key | None:
    """The key that a column is or in the end refers to; None for what is no key, or refers to several."""
    passed: set[str] = set()
    while True:
        refers = [
            link
            for link in links_of(schema, table)
            if link.outward and link.column.casefold() == column.casefold() and link.other is not table
        ]
        if not refers:
            return (table.name.casefold(), column.casefold()) if passed or is_unique(table, column) else None
        if len(refers) > 1 or table.name in passed:
            return None
        passed.add(table.name)
        table, column = refers[0].other, refers[0].other_column


def way_between(schema: Schema, start: Table, end: Table) -> tuple[Link, ...]:
    """The shortest way of foreign keys from one table to another; empty where there is none, or two."""
    ways: list[tuple[Link, ...]] = [()]
    for _ in range(LONGEST_WAY):
        ways = [longer for way in ways for longer in _longer(schema, start, way)]
        found = [way for way in ways if way[-1].other is end]
        if found or len(ways) > MOST_WAYS:
            return found[0] if len(found) == 1 else ()
    return ()


def _longer(schema: Schema, start: Table, way: tuple[Link, ...]) -> Iterator[tuple[Link, ...]]:
    """The way with each further foreign key that leads to a table not passed yet."""
    passed = {id(start), *(id(link.other) for link in way)}
    for link in links_of(schema, way[-1].other if way else start):
        if id(link.other) not in passed:
            yield (*way, link)


def turned(link: Link) -> Link:
    """The same foreign key, seen from its other table."""
    return Link(link.other, link.other_column, link.table, link.column, not link.outward)


def joins_along(query: Query, first: str, way: Sequence[Link], last: str | None) -> list[exp.Join]:
    """A join for each table that the way leads to.

    Args:
        query: whose names are taken, and are not given again.
        first: what the query calls the table where the way begins.
        way: the foreign keys.
        last: what the query calls the table at its end; None gives it a name too.
    """
    dialect = query.parsed.dialect
    joins: list[exp.Join] = []
    before = first
    for place, link in enumerate(way):
        called = last if last and place == len(way) - 1 else free_name(query, link.other.name)
        on = exp.EQ(
            this=column_node(link.column, before, dialect),
            expression=column_node(link.other_column, called, dialect),
        )
        alias = exp.TableAlias(this=identifier(called, dialect).copy()) if called != link.other.name else None
        table = exp.Table(this=identifier(link.other.name, dialect).copy(), alias=alias)
        joins.append(exp.Join(this=table, on=on))
        before = called
    return joins


def free_name(query: Query, wanted: str) -> str:
    """The name, with a number where a source of the query is called so."""
    taken = {source.name.casefold() for scope in query.selects for source in scope.sources}
    names = (wanted, *(f"{wanted}_{number}" for number in range(2, len(taken) + 3)))
    return next(name for name in names if name.casefold() not in taken)


def sources_of(query: Query, tables: Sequence[Table]) -> list[Source]:
    """The sources of the query that are one of the tables."""
    return [source for scope in query.selects for source in scope.sources if source.table in tables]
