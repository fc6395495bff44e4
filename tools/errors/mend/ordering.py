"""A sort key as an engine sorts it without further words."""

from sqlglot import Dialect, exp


def ordered(key: exp.Expr, dialect: str, *, desc: bool = False) -> exp.Ordered:
    """The key, with NULL where the dialect puts it by itself, so that nothing is printed about it."""
    small = Dialect.get_or_raise(dialect).NULL_ORDERING == "nulls_are_small"
    return exp.Ordered(this=key, desc=desc or None, nulls_first=desc is not small)
