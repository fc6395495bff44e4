"""Names and cells as they may stand in text that a model reads: names quoted, cells short and on one line."""

import json
import re
from functools import cache

CELL_CHARACTERS = 40
"""Longest cell shown in schema text; a token of prefill costs 25 ms."""
MARKS = {"mysql": "`"}
"""Quotation mark of identifiers where it is not the double quote."""
PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
CONTROL = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    r"\ud800-\udfff\U000e0000-\U000e007f]"
)
"""Control, zero-width, direction and tag characters, and line separators."""
_RESERVED_WORDS = """
add all alter analyze and as asc autoincrement between by cascade case check collate column commit
constraint create cross current_date current_time current_timestamp database default deferrable
delete desc distinct drop else end escape except exists explain false fetch for foreign from full
group having if in index inner insert intersect into is isnull join key left like limit match
natural no not notnull null of offset on or order outer over partition pragma primary references
regexp right rollback row rows select set some table then to transaction trigger true union unique
update user using values view when where window with
"""
MORE_RESERVED = frozenset(_RESERVED_WORDS.split())
"""Words that need quotes in some dialect or that small models stumble over without them."""


@cache
def _reserved(dialect: str) -> frozenset[str]:
    """Keywords of the dialect that cannot stand as a name for sqlglot, and those of the common list."""
    from sqlglot import TokenType
    from sqlglot.dialects.dialect import Dialect

    tokenizer = Dialect.get_or_raise(dialect).tokenizer_class
    parser = Dialect.get_or_raise(dialect).parser_class
    keywords = {
        word.casefold()
        for word, kind in tokenizer.KEYWORDS.items()
        if kind not in parser.ID_VAR_TOKENS and kind is not TokenType.VAR
    }
    return MORE_RESERVED | frozenset(word for word in keywords if PLAIN.fullmatch(word))


def _needs_quotes(name: str, dialect: str) -> bool:
    if not PLAIN.fullmatch(name) or name.casefold() in _reserved(dialect):
        return True
    return dialect == "postgres" and name != name.lower()


def quote_name(name: str, dialect: str) -> str:
    """The identifier as the dialect takes it: bare where that is safe, else quoted.

    >>> quote_name("name", "sqlite"), quote_name("order", "sqlite"), quote_name("order", "mysql")
    ('name', '"order"', '`order`')
    """
    if not _needs_quotes(name, dialect):
        return name
    mark = MARKS.get(dialect, '"')
    return mark + escape(name).replace(mark, mark * 2) + mark


def escape(text: str) -> str:
    """Control, zero-width and direction characters as visible escapes."""
    return CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def escape_lines(text: str) -> str:
    """The same for text of several lines, which stay."""
    return "\n".join(map(escape, text.split("\n")))


def escape_json(text: str) -> str:
    """JSON with the same characters as its own escapes: it still holds the very texts. Its lines stay."""
    return CONTROL.sub(lambda found: found[0] if found[0] == "\n" else json.dumps(found[0])[1:-1], text)


def shown_number(value: float) -> str:
    """A number for a person: at most 12 significant digits, so that no sum ends in 0000000000001."""
    return f"{value:.12g}"


def cell_text(value: object, characters: int = CELL_CHARACTERS) -> str:
    r"""One cell or comment on one line: cut, escaped, and unable to close the comment it stands in.

    >>> cell_text("two\nlines"), cell_text(None), cell_text(b"12")
    ('two\\nlines', 'NULL', '<2 bytes>')
    """
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        return f"<{len(value)} bytes>"
    text = str(value)
    cut = text[:characters]
    safe = escape(cut).replace("*/", "* /").replace("/*", "/ *")
    return safe + "…" if len(text) > characters else safe
