"""SQLite as we read and print it: sqlglot's dialect, without its rewrites that can change what a query means.

sqlglot prints `FROM a, b` as CROSS JOIN (which fixes the join order in SQLite), casts to DECIMAL as REAL and
to DATE as a call, IFNULL as COALESCE, and turns functions SQLite lacks into ones it has. Here a query keeps
its joins, its types and the names of its functions.
"""

import re
from typing import Any, ClassVar

from sqlglot import Dialect, exp
from sqlglot.dialects.sqlite import SQLite
from sqlglot.generators.sqlite import SQLiteGenerator
from sqlglot.parser import Parser as BaseParser
from sqlglot.parsers.sqlite import SQLiteParser
from sqlglot.tokenizer_core import Token, TokenType

_NAME = "sqlite_name"


def _null(parser: BaseParser, token: Token) -> exp.Expr:
    return parser.expression(exp.Null()).update_positions(token)


def _true(parser: BaseParser, token: Token) -> exp.Expr:
    return parser.expression(exp.Boolean(this=True)).update_positions(token)


def _false(parser: BaseParser, token: Token) -> exp.Expr:
    return parser.expression(exp.Boolean(this=False)).update_positions(token)


def _placed(node: exp.Expr, first: Token | None, last: Token | None) -> exp.Expr:
    """The node with its place in the text, where sqlglot noted none."""
    if first is not None and last is not None and "start" not in node.meta:
        node.update_positions(line=first.line, col=first.col, start=first.start, end=last.end)
    return node


_TYPED_FUNCTIONS = """
abs avg coalesce count cume_dist date dense_rank first_value glob group_concat ifnull iif instr json_extract
lag last_value lead length like lower ltrim max min nth_value ntile nullif percent_rank random rank replace
round row_number rtrim strftime substr substring sum trim typeof upper
"""
_TYPED = frozenset(_TYPED_FUNCTIONS.upper().split())
"""Functions of SQLite that get a node class of their own; every other call keeps its name and arguments."""


class _Parser(SQLiteParser):
    FUNCTIONS: ClassVar = {name: build for name, build in SQLiteParser.FUNCTIONS.items() if name in _TYPED}
    FUNCTION_PARSERS: ClassVar = {
        name: read
        for name, read in SQLiteParser.FUNCTION_PARSERS.items()
        if name in ("CAST", "GROUP_CONCAT", "SUBSTRING", "TRIM")
    }
    NO_PAREN_FUNCTION_PARSERS: ClassVar = {"CASE": SQLiteParser.NO_PAREN_FUNCTION_PARSERS["CASE"]}
    PRIMARY_PARSERS: ClassVar = {
        **SQLiteParser.PRIMARY_PARSERS,
        TokenType.NULL: _null,
        TokenType.TRUE: _true,
        TokenType.FALSE: _false,
    }

    def _parse_primary(self) -> exp.Expr | None:
        """As sqlglot does, with the place of `.5` noted; of `'a' 'b'` the second text is an alias."""
        first = self._curr
        if self._match(TokenType.STRING):
            read_text: Any = self.PRIMARY_PARSERS[TokenType.STRING]
            return _placed(read_text(self, first), first, first)
        node = super()._parse_primary()
        return _placed(node, first, self._prev) if isinstance(node, exp.Literal) else node

    def _parse_function(self, *args: Any, **kwargs: Any) -> exp.Expr | None:
        """As sqlglot does, with the place of CAST, GROUP_CONCAT and CURRENT_DATE noted."""
        first = self._curr
        node = super()._parse_function(*args, **kwargs)
        return _placed(node, first, first) if isinstance(node, exp.Func) else node

    def _parse_type(
        self, parse_interval: bool = True, fallback_to_identifier: bool = False
    ) -> exp.Expr | None:
        """A column or a value: in SQLite `date 'x'` is a column with an alias, and there is no INTERVAL."""
        if fallback_to_identifier:
            return super()._parse_type(parse_interval, fallback_to_identifier)
        return self._parse_atom() or self._parse_column()

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


class _Tokenizer(SQLite.Tokenizer):
    KEYWORDS: ClassVar = {
        word: kind for word, kind in SQLite.Tokenizer.KEYWORDS.items() if not re.match(r"~.", word)
    }
    """Without PostgreSQL's `~~` and its like: in SQLite `~~a` inverts twice."""


class CritiqlSQLite(SQLite):
    """sqlglot's SQLite with names, types and comma joins kept."""

    ORIGINAL_NAME_META_KEY = _NAME
    Tokenizer = _Tokenizer
    Parser = _Parser
    Generator = _Generator


def dialect_of(name: str) -> Dialect:
    """The dialect to read and print with: ours for SQLite, sqlglot's for the others.

    Raises:
        ValueError: sqlglot knows no dialect of that name.
    """
    return _SQLITE if name == "sqlite" else Dialect.get_or_raise(name)


_SQLITE = CritiqlSQLite()
