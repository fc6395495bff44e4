"""The typed model of a database's schema."""

from dataclasses import dataclass, field
from functools import cached_property


@dataclass(frozen=True)
class Column:
    """One column of a table."""

    name: str
    type: str
    """Declared type, as the database spells it; may be empty."""
    nullable: bool = True
    primary_key: bool = False
    comment: str = ""


@dataclass(frozen=True)
class ForeignKey:
    """`table.columns` refers to `to_table.to_columns`, pairwise."""

    table: str
    columns: tuple[str, ...]
    to_table: str
    to_columns: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """One table or view."""

    name: str
    columns: tuple[Column, ...]
    foreign_keys: tuple[ForeignKey, ...] = ()
    is_view: bool = False
    comment: str = ""
    row_count: int | None = None
    """None where it was not counted: a view, or too large to count quickly."""

    @cached_property
    def by_name(self) -> dict[str, Column]:
        """Columns by case-folded name."""
        return {column.name.casefold(): column for column in self.columns}

    def column(self, name: str) -> Column | None:
        """The column of that name, ignoring case."""
        return self.by_name.get(name.casefold())

    @property
    def primary_key(self) -> tuple[str, ...]:
        """Names of the primary key's columns."""
        return tuple(column.name for column in self.columns if column.primary_key)


@dataclass(frozen=True)
class Schema:
    """All tables of a database, in the database's own order."""

    tables: tuple[Table, ...]
    dialect: str = "sqlite"
    samples: dict[str, tuple[tuple[object, ...], ...]] = field(default_factory=dict, compare=False)
    """A few rows per table name, in column order; empty when rows may not be read."""

    @cached_property
    def by_name(self) -> dict[str, Table]:
        """Tables by case-folded name."""
        return {table.name.casefold(): table for table in self.tables}

    def table(self, name: str) -> Table | None:
        """The table of that name, ignoring case."""
        return self.by_name.get(name.casefold())

    @property
    def foreign_keys(self) -> tuple[ForeignKey, ...]:
        """Every foreign key of every table."""
        return tuple(key for table in self.tables for key in table.foreign_keys)
