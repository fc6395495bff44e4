"""What a database has that analysts ask about: events of a thing, their days, amounts and categories."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from critiql.tools.database.result import Value
from critiql.tools.errors.lookup import Values
from critiql.tools.errors.query import is_numeric
from critiql.tools.schema.model import Column, Schema, Table

_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_NAMES = ("name", "title", "full_name", "first_name")
_FEW = range(2, 13)
"""How many values make a category."""


@dataclass(frozen=True)
class Link:
    """Events of a thing: rows of one table that refer to the key of another."""

    events: Table
    refers: str
    """Column of `events`."""
    thing: Table
    key: str
    """The one column of the thing's primary key."""
    name: str
    """Column that names the thing."""

    @property
    def things(self) -> str:
        """The things in words."""
        return plural(self.thing.name)

    @property
    def one_thing(self) -> str:
        """One of them in words."""
        return singular(self.thing.name)

    @property
    def many(self) -> str:
        """The events in words."""
        return plural(self.events.name)

    @property
    def one_event(self) -> str:
        """One of them in words."""
        return singular(self.events.name)

    @property
    def called(self) -> str:
        """The name's column in words."""
        return said(self.name)


@dataclass(frozen=True)
class Facts:
    """A schema with the values behind it."""

    schema: Schema
    values: Values

    def links(self) -> Iterator[Link]:
        """Every reference of a table to a thing that has one key column and a name."""
        for key in self.schema.foreign_keys:
            events, thing = self.schema.table(key.table), self.schema.table(key.to_table)
            if events is None or thing is None or events == thing or len(key.columns) != 1:
                continue
            named = self.name_of(thing)
            if named and thing.primary_key == key.to_columns:
                yield Link(events, key.columns[0], thing, key.to_columns[0], named)

    def name_of(self, table: Table) -> str | None:
        """The column that names a row."""
        found = [column.name for column in table.columns if column.name.lower().endswith(_NAMES)]
        return found[0] if found else None

    def days(self, table: Table) -> list[tuple[str, Sequence[str]]]:
        """Columns of ISO days, each with the years that occur, the earliest first."""
        found: list[tuple[str, Sequence[str]]] = []
        for column in table.columns:
            values = self._texts(table, column)
            if values and all(_DAY.match(value) for value in values):
                found.append((column.name, sorted({value[:4] for value in values})))
        return found

    def amounts(self, table: Table) -> list[str]:
        """Columns of numbers that are no key."""
        return [
            column.name
            for column in table.columns
            if is_numeric(column) and not _is_key(table, column) and self._varies(table, column)
        ]

    def categories(self, table: Table) -> list[tuple[str, Sequence[str]]]:
        """Columns of a few texts, with these."""
        found: list[tuple[str, Sequence[str]]] = []
        for column in table.columns:
            values = self._texts(table, column)
            if values and len(values) in _FEW and not any(_DAY.match(value) for value in values):
                found.append((column.name, sorted(values)))
        return found

    def _texts(self, table: Table, column: Column) -> list[str]:
        values = self.values.distinct(table.name, column.name) or ()
        texts = [value for value in values if isinstance(value, str) and value]
        return texts if len(texts) == len(values) else []

    def _varies(self, table: Table, column: Column) -> bool:
        values: tuple[Value, ...] = self.values.distinct(table.name, column.name) or ()
        return len(values) > 3 and not any(isinstance(value, str) for value in values)


def _is_key(table: Table, column: Column) -> bool:
    refers = {name for key in table.foreign_keys for name in key.columns}
    return column.primary_key or column.name in refers or column.name.lower().endswith(("id", "code", "year"))


def said(name: str) -> str:
    """A name of the schema in words: `order_items` is `order items`."""
    return name.replace("_", " ").strip().lower()


def plural(name: str) -> str:
    """The words of a table's name, in the plural."""
    words = said(name)
    if words.endswith("s"):
        return words
    return f"{words[:-1]}ies" if words.endswith("y") and words[-2:-1] not in "aeiou" else f"{words}s"


def singular(name: str) -> str:
    """The words of a table's name, in the singular."""
    words = said(name)
    if words.endswith("ies"):
        return f"{words[:-3]}y"
    return words[:-1] if words.endswith("s") and not words.endswith(("ss", "us", "is")) else words
