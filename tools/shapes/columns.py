"""What the columns of a table are for: names, days, amounts, categories. Told from types and sample rows."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from critiql.tools.schema.column_kinds import is_numeric
from critiql.tools.schema.model import Column, Schema, Table

_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_DAY_TYPES = ("DATE", "TIMESTAMP")
_NAMES = ("name", "title", "full_name", "label")
_OF_A_PERSON = (("firstname", "lastname"), ("forename", "surname"), ("fname", "lname"))
_COUNTS = re.compile(r"(^|_)(quantity|qty|pieces|units|copies|hours|nights)$", re.IGNORECASE)
_PRICES = re.compile(r"(^|_)(price|cost|fee|rate)$", re.IGNORECASE)
_KEYS = ("id", "code", "year", "no", "number")
_LONGEST = 30
"""Characters of a text that is a category."""


class Day(NamedTuple):
    """A column of days."""

    column: str
    years: tuple[int, ...]
    """Those that sample rows show, the earliest first; never empty."""
    typed: bool
    """A date or timestamp for the engine, not a text."""


class Category(NamedTuple):
    """A column of texts that rows share."""

    column: str
    values: tuple[str, ...]
    """Some that occur."""


def names_of(table: Table) -> tuple[str, ...]:
    """The columns that name a row: first and last name, or one; empty where it has no name."""
    known = {column.name.lower().replace("_", ""): column.name for column in table.columns}
    for first, last in _OF_A_PERSON:
        if first in known and last in known:
            return known[first], known[last]
    found = (column.name for column in table.columns if column.name.lower().endswith(_NAMES))
    return tuple(found)[:1]


def days_of(schema: Schema, table: Table) -> list[Day]:
    """Columns of ISO days."""
    found: list[Day] = []
    for column, values in _with_samples(schema, table):
        texts = [str(value) for value in values]
        if texts and all(_DAY.match(text) for text in texts):
            typed = column.type.upper().startswith(_DAY_TYPES) and schema.dialect != "sqlite"
            found.append(Day(column.name, tuple(sorted({int(text[:4]) for text in texts})), typed))
    return found


def categories_of(schema: Schema, table: Table) -> list[Category]:
    """Columns of short texts that are neither days nor names nor keys."""
    own = names_of(table)
    found: list[Category] = []
    for column, values in _with_samples(schema, table):
        texts = tuple(sorted({value for value in values if isinstance(value, str) and value.strip()}))
        fit = texts and not any(_DAY.match(text) or len(text) > _LONGEST for text in texts)
        if fit and column.name not in own and not is_key(table, column):
            found.append(Category(column.name, texts))
    return found


def name_values(schema: Schema, table: Table) -> list[Category]:
    """The column that names a row, with names that occur; none where two columns name it."""
    own = names_of(table)
    return [
        Category(column.name, tuple(sorted({value for value in values if isinstance(value, str)})))
        for column, values in _with_samples(schema, table)
        if own == (column.name,)
    ]


def amounts_of(table: Table) -> list[str]:
    """Columns of numbers that can be added up."""
    return [column.name for column in table.columns if is_numeric(column) and not is_key(table, column)]


def years_of(table: Table) -> list[str]:
    """Columns of years, which have a first and a last but no sum."""
    return [one.name for one in table.columns if is_numeric(one) and one.name.lower().endswith("year")]


def product_of(table: Table) -> tuple[str, str] | None:
    """How many and the price of one, where a row has both."""
    numbers = amounts_of(table)
    counts = [name for name in numbers if _COUNTS.search(name)]
    prices = [name for name in numbers if _PRICES.search(name)]
    return (counts[0], prices[0]) if counts and prices else None


def is_price(column: str) -> bool:
    """Whether a column is called like what one piece costs."""
    return _PRICES.search(column) is not None


def is_key(table: Table, column: Column) -> bool:
    """Whether it identifies a row, or one of another table."""
    refers = {name for key in table.foreign_keys for name in key.columns}
    return column.primary_key or column.name in refers or column.name.lower().endswith(_KEYS)


def _with_samples(schema: Schema, table: Table) -> list[tuple[Column, Sequence[object]]]:
    """Each column with what its sample rows hold, but NULL."""
    rows = schema.samples.get(table.name, ())
    return [
        (column, [row[place] for row in rows if place < len(row) and row[place] is not None])
        for place, column in enumerate(table.columns)
    ]
