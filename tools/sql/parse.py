"""Read one query with sqlglot: a tree, or a typed reason why there is none. Never a crash."""

from dataclasses import dataclass
from typing import Literal

from sqlglot import exp
from sqlglot.errors import ParseError, TokenError
from sqlglot.tokenizer_core import Token, TokenType

from critiql.tools.sql.dialect import dialect_of

MAX_CHARACTERS = 100_000
"""Longer text is not read: no honest query comes near it, and reading it costs seconds."""
MAX_DEPTH = 30
"""Nested brackets and CASEs that are read; sqlglot recurses some twenty Python frames a level."""
MAX_OPERATORS = 300
"""Operators in a statement: a chain `a OR b OR ...` nests one level a term in the tree."""

FailureKind = Literal[
    "empty", "too_large", "too_deep", "not_sql", "not_a_query", "several_statements", "syntax"
]

_OPENING = {TokenType.L_PAREN, TokenType.CASE}
_CLOSING = {TokenType.R_PAREN, TokenType.END}
_CHAINING = {
    *(TokenType.AND, TokenType.OR, TokenType.NOT, TokenType.PLUS, TokenType.DASH, TokenType.STAR),
    *(TokenType.SLASH, TokenType.MOD, TokenType.DPIPE, TokenType.TILDE, TokenType.EQ, TokenType.IS),
    *(TokenType.UNION, TokenType.EXCEPT, TokenType.INTERSECT, TokenType.DOT, TokenType.COLLATE),
}
_SIGNS = {TokenType.NOT, TokenType.PLUS, TokenType.DASH, TokenType.TILDE}
_STARTS = {TokenType.SELECT, TokenType.WITH, TokenType.L_PAREN, TokenType.VALUES}


@dataclass(frozen=True, slots=True)
class Parsed:
    """A query that parses, and the text it was read from."""

    text: str
    tree: exp.Query
    dialect: str = "sqlite"


@dataclass(frozen=True, slots=True)
class ParseFailure:
    """Why a text is not one query."""

    message: str
    line: int | None = None
    """First line is 1; None where the failure has no place."""
    column: int | None = None
    """First character is 1."""
    kind: FailureKind = "syntax"


def parse(sql: str, dialect: str = "sqlite") -> Parsed | ParseFailure:
    """Read exactly one query. A closing semicolon is allowed; everything else gives a typed failure.

    Raises:
        ValueError: sqlglot knows no dialect of that name.
    """
    reader = dialect_of(dialect)
    if len(sql) > MAX_CHARACTERS:
        return ParseFailure(
            f"The text has {len(sql):,} characters; at most {MAX_CHARACTERS:,} are read.", kind="too_large"
        )
    try:
        tokens = reader.tokenize(sql)
        return _refusal(tokens) or _read(sql, tokens, dialect)
    except TokenError as error:
        return ParseFailure(f"The text cannot be split into SQL tokens: {_first_line(error)}.")
    except ParseError as error:
        return _syntax(error)
    except (IndexError, KeyError, AttributeError, TypeError, ValueError):
        # sqlglot's builders of single functions fail so on arguments they do not expect, as in MAP(1)
        return ParseFailure("The query holds a call that cannot be read.")
    except RecursionError:
        return ParseFailure("The query nests too deeply to be read.", kind="too_deep")


def _refusal(tokens: list[Token]) -> ParseFailure | None:
    """What the tokens alone rule out, before sqlglot recurses or falls back to an opaque command."""
    if not [token for token in tokens if token.token_type != TokenType.SEMICOLON]:
        return ParseFailure("The text holds no SQL.", kind="empty")
    first = tokens[0]
    if first.token_type not in _STARTS:
        statement = first.token_type not in (
            TokenType.VAR,
            TokenType.IDENTIFIER,
            TokenType.STRING,
            TokenType.NUMBER,
        )
        kind: FailureKind = "not_a_query" if statement else "not_sql"
        return ParseFailure(
            f"A query starts with SELECT or WITH, not {first.text[:40]!r}.", first.line, 1, kind
        )
    if _nests_too_deeply(tokens):
        return ParseFailure("The query nests too deeply to be read.", kind="too_deep")
    return None


def _nests_too_deeply(tokens: list[Token]) -> bool:
    """Whether the tree would be deeper than what sqlglot reads and prints within Python's recursion limit."""
    depth = deepest = operators = signs = 0
    for token in tokens:
        kind = token.token_type
        depth += (kind in _OPENING) - (kind in _CLOSING)
        signs = signs + 1 if kind in _SIGNS else 0
        deepest = max(deepest, depth + signs)
        operators += kind in _CHAINING
    return deepest > MAX_DEPTH or operators > MAX_OPERATORS


def _read(sql: str, tokens: list[Token], dialect: str) -> Parsed | ParseFailure:
    reader = dialect_of(dialect)
    found = reader.parser().parse(tokens, sql)
    statements = [tree for tree in found if tree is not None and not isinstance(tree, exp.Semicolon)]
    if len(statements) > 1:
        return ParseFailure(
            f"The text holds {len(statements)} statements; one query is read.", kind="several_statements"
        )
    tree = statements[0]
    if not isinstance(tree, exp.Query):
        return ParseFailure("The statement is not a query.", kind="not_a_query")
    if dialect != "postgres" and not all(select.expressions for select in tree.find_all(exp.Select)):
        return ParseFailure("A SELECT names at least one column.")
    mark_quotes(tree, sql)
    return Parsed(sql, tree, dialect)


def mark_quotes(tree: exp.Expr, sql: str) -> None:
    """Note backticks and brackets: only a double-quoted name may be text (sqlite.org/quirks.html)."""
    if "`" in sql or "[" in sql:
        for name in tree.find_all(exp.Identifier):
            start = name.meta.get("start")
            if name.args.get("quoted") and start is not None and sql[start] in "`[":
                name.meta["quote"] = sql[start]


def _syntax(error: ParseError) -> ParseFailure:
    place = error.errors[0] if error.errors else {}
    near = place.get("highlight") or ""
    message = (place.get("description") or _first_line(error)).split(" but got <Token")[0]
    column = place.get("col")
    at = f", near {near[:40]!r}" if near else ""
    start = max(1, column - len(near) + 1) if column else None
    return ParseFailure(f"{message.rstrip('.')}{at}.", place.get("line"), start)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
