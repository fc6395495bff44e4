"""Whether a column holds numbers or texts, as its declared type says."""

from critiql.tools.schema.model import Column

_NUMERIC = ("INT", "REAL", "FLOA", "DOUB", "NUM", "DEC", "YEAR", "BIT", "BOOL", "MONEY", "SERIAL")
_TEXT = ("CHAR", "TEXT", "CLOB", "STRING")


def is_numeric(column: Column) -> bool:
    """True when the declared type gives SQLite a numeric affinity or names numbers."""
    kind = column.type.upper()
    return any(word in kind for word in _NUMERIC) and not is_text(column)


def is_text(column: Column) -> bool:
    """True when the declared type gives SQLite text affinity."""
    kind = column.type.upper()
    return any(word in kind for word in _TEXT)
