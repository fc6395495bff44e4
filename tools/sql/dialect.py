"""SQLite as we read and print it: sqlglot's dialect, without its rewrites that can change what a query means.

sqlglot prints `FROM a, b` as CROSS JOIN (which fixes the join order in SQLite), casts to DECIMAL as REAL and
to DATE as a call, IFNULL as COALESCE, and turns functions SQLite lacks into ones it has. Here a query keeps
its joins, its types and the names of its functions.
"""

from typing import ClassVar

from sqlglot import Dialect, exp
from sqlglot.dialects.sqlite import SQLite
from sqlglot.generators.sqlite import SQLiteGenerator
from sqlglot.parsers.sqlite import SQLiteParser

_NAME = "sqlite_name"


class _Parser(SQLiteParser):
    JOINS_HAVE_EQUAL_PRECEDENCE = False  # only decides whether a comma join is marked as CROSS


class _Generator(SQLiteGenerator):
    TYPE_MAPPING: ClassVar = {
        kind: name
        for kind, name in SQLiteGenerator.TYPE_MAPPING.items()
        if kind not in (exp.DType.BOOLEAN, exp.DType.DECIMAL, exp.DType.BINARY, exp.DType.VARBINARY)
    }

    def identifier_sql(self, expression: exp.Identifier) -> str:
        """Names in backticks or brackets stay so: printed in double quotes they could turn into text."""
        if expression.args.get("quoted") and expression.meta.get("quote"):
            return f"`{expression.this.replace('`', '``')}`"
        return super().identifier_sql(expression)

    def cast_sql(self, expression: exp.Cast, safe_prefix: str | None = None) -> str:  # noqa: ARG002
        """CAST as written: SQLite gives DATE and DECIMAL numeric affinity, not a date or a real."""
        return f"CAST({self.sql(expression, 'this')} AS {self.sql(expression, 'to')})"

    def not_sql(self, expression: exp.Not) -> str:
        """`x IS NOT NULL`, `x NOT IN (...)` and `x NOT BETWEEN ...` the way people write them."""
        inner = expression.this
        if isinstance(inner, exp.Is):
            return f"{self.sql(inner, 'this')} IS NOT {self.sql(inner, 'expression')}"
        if isinstance(inner, exp.In | exp.Between):
            operator = "IN" if isinstance(inner, exp.In) else "BETWEEN"
            subject, printed = self.sql(inner, "this"), self.sql(inner)
            return f"{subject} NOT {operator}{printed[len(subject) + 1 + len(operator) :]}"
        return super().not_sql(expression)


class CritiqlSQLite(SQLite):
    """sqlglot's SQLite with names, types and comma joins kept."""

    ORIGINAL_NAME_META_KEY = _NAME
    Tokenizer = SQLite.Tokenizer
    Parser = _Parser
    Generator = _Generator


def dialect_of(name: str) -> Dialect:
    """The dialect to read and print with: ours for SQLite, sqlglot's for the others.

    Raises:
        ValueError: sqlglot knows no dialect of that name.
    """
    return _SQLITE if name == "sqlite" else Dialect.get_or_raise(name)


_SQLITE = CritiqlSQLite()
