"""LookUp(c, D): the distinct values of a column, or nothing where they cannot all be known."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from sqlglot import exp

from critiql.tools.database.engine import Database
from critiql.tools.database.result import Limits, Rows, Value
from critiql.tools.schema.quoting import quote_name

CAP = 20_000
"""Distinct values read of one column; a column with more counts as read in part."""
SHORTEST = 3
"""Characters of a text that names a row, or a kind of rows."""
CATEGORIES = 20
"""Most values of a column that sorts rows into kinds; a column of names holds many common words by chance."""
LIMITS = Limits(seconds=0.5, rows=CAP, total_bytes=8_000_000, cell_bytes=2_000)
"""What reading one column may cost, so that a check stays within a second."""


class Values(Protocol):
    """Where rules and perturbations learn what a column holds."""

    def distinct(self, table: str, column: str) -> tuple[Value, ...] | None:
        """All distinct values but NULL; None when the column has no rows or was read in part."""

    def holds_null(self, table: str, column: str) -> bool | None:
        """Whether a row has NULL there; None where that cannot be told."""

    def beside(self, table: str, column: str, other: str, text: str) -> tuple[Value, ...] | None:
        """What a column holds in the rows whose other column is a text; None where that cannot be told."""

    def repeats(self, table: str, columns: Sequence[str]) -> bool | None:
        """Whether two rows hold the same in all of the columns; None where that cannot be told."""


@dataclass
class DatabaseValues:
    """LookUp over a database; every column is read once, when it is first asked for."""

    database: Database
    limits: Limits = LIMITS
    known: dict[tuple[str, str], tuple[Value, ...] | None] = field(default_factory=dict)

    def distinct(self, table: str, column: str) -> tuple[Value, ...] | None:
        """All distinct values but NULL; None when the column has no rows or was read in part."""
        key = (table.casefold(), column.casefold())
        if key not in self.known:
            self.known[key] = self._read(table, column)
        return self.known[key]

    def holds_null(self, table: str, column: str) -> bool | None:
        """Whether a row has NULL there; None where the look took too long."""
        dialect = self.database.dialect
        name = quote_name(column, dialect)
        sql = f"SELECT 1 FROM {quote_name(table, dialect)} WHERE {name} IS NULL LIMIT 1"
        result = self.database.run(sql, self.limits)
        return bool(result.rows) if isinstance(result, Rows) else None

    def beside(self, table: str, column: str, other: str, text: str) -> tuple[Value, ...] | None:
        """What a column holds in the rows whose other column is a text; None where the look took too long."""
        dialect = self.database.dialect
        wanted, named, source = (quote_name(name, dialect) for name in (column, other, table))
        said = exp.Literal.string(text).sql(dialect)
        sql = f"SELECT DISTINCT {wanted} FROM {source} WHERE {named} = {said}"
        result = self.database.run(sql, self.limits)
        return tuple(row[0] for row in result.rows) if isinstance(result, Rows) else None

    def repeats(self, table: str, columns: Sequence[str]) -> bool | None:
        """Whether two rows hold the same in all of the columns; None where the look took too long."""
        dialect = self.database.dialect
        names = ", ".join(quote_name(column, dialect) for column in columns)
        source = quote_name(table, dialect)
        sql = f"SELECT 1 FROM {source} GROUP BY {names} HAVING COUNT(*) > 1 LIMIT 1"
        result = self.database.run(sql, self.limits)
        return bool(result.rows) if isinstance(result, Rows) else None

    def _read(self, table: str, column: str) -> tuple[Value, ...] | None:
        dialect = self.database.dialect
        name = quote_name(column, dialect)
        sql = f"SELECT DISTINCT {name} FROM {quote_name(table, dialect)} WHERE {name} IS NOT NULL"
        result = self.database.run(sql, self.limits)
        if not isinstance(result, Rows) or result.truncated or not result.rows:
            return None
        return tuple(row[0] for row in result.rows)
