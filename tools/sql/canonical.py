"""One stable print of a query: for comparing candidates, for prompts, and as a cache key."""

from sqlglot import exp
from sqlglot.errors import ErrorLevel

from critiql.tools.sql.dialect import dialect_of
from critiql.tools.sql.parse import ParseFailure, parse


def canonical(tree: exp.Expr, dialect: str = "sqlite") -> str:
    """The tree on one line: upper-case keywords, single spaces, no comments."""
    return dialect_of(dialect).generate(tree, comments=False, copy=True, unsupported_level=ErrorLevel.IGNORE)


def fingerprint(sql: str, dialect: str = "sqlite") -> str:
    """The canonical print of a text, or the text with its white space folded where it does not parse.

    >>> fingerprint("select  name from artists -- all of them")
    'SELECT name FROM artists'
    >>> fingerprint("SELECT  name FORM artists;")
    'SELECT name FORM artists'
    """
    parsed = parse(sql, dialect)
    if isinstance(parsed, ParseFailure):
        return " ".join(sql.split()).rstrip("; ")
    return canonical(parsed.tree, dialect)
