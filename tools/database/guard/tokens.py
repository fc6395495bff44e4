"""SQL cut into tokens, for the checks that stand behind an engine's own. Unsure means refused.

A parser of another project would read some statement differently from the server that runs it. Telling words
from strings and comments is enough here, and what could be told either way is refused. Standard library only.
"""

import re
from itertools import pairwise
from typing import NamedTuple

_SPACE = r"(?P<space>\s+)"
_NUMBER = r"(?P<number>(?:0[xX][0-9a-fA-F]+|0[bB][01]+|(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(?!\w))"
_WORD = r"(?P<word>[^\W\d][\w$]*)"
_MARK = r"(?P<mark>.)"
_DOUBLED = r"'(?:[^']|'')*'"
_ESCAPED = r"'(?:[^'\\]|\\.|'')*'"
_DUCKDB = "|".join(
    (
        _SPACE,
        r"(?P<comment>--[^\n\r]*|/\*(?:(?!/\*).)*?\*/)",
        r"(?P<odd>[uU]&['\"]|/\*|\d+\w)",
        rf"(?P<string>[eE]{_ESCAPED}|[bBxXnN]?{_DOUBLED}|\$(?P<tag>[^\W\d]\w*|)\$.*?\$(?P=tag)\$)",
        r'(?P<name>"(?:[^"]|"")*")',
        _WORD,
        _MARK,
    )
).replace("(?P<odd>", _NUMBER + "|(?P<odd>")
_MYSQL_NUMBER = r"(?P<number>(?:0x[0-9a-fA-F]+|0b[01]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(?![\w$]))"
_MYSQL = "|".join(
    (
        r"(?P<space>[ \t\n\r\f\v]+)",
        r"(?P<odd>/\*(?:!|M!|\+|(?!.*?\*/))|--(?![ \t\n\r]|\Z)|[\x00-\x1f\x7f]|[^\w\x00-\x7f])",
        r"(?P<comment>#[^\n]*|--[^\n]*|/\*.*?\*/)",
        rf"(?P<string>[bBxXnN]?{_ESCAPED}|\"(?:[^\"\\]|\\.|\"\")*\")",
        r"(?P<name>`(?:[^`]|``)*`)",
        _MYSQL_NUMBER,
        r"(?P<word>@{0,2}[\w$]+)",
        _MARK,
    )
)
"""Outside quotes and comments no control character and no space but ASCII's.

To the server DEL after `--` begins a comment and a no-break space does not. So `--` needs a plain space, and
one minus before another stands apart.
"""
PATTERNS = {
    "duckdb": re.compile(_DUCKDB, re.DOTALL),
    "mysql": re.compile(_MYSQL, re.DOTALL),
}
"""Nested comments, U& forms (any character in disguise), and MySQL's comments that are code match `odd`."""
OPENERS = frozenset("'\"`\x00\\")
"""A mark that begins what was never closed, or that no engine here reads outside a string."""


class Token(NamedTuple):
    """One token: a word, a quoted name, a string, a number or a mark."""

    kind: str
    text: str
    """Words and quoted names case-folded and without their quotes; the rest as written."""
    end: int
    """Where it ends in the statement."""

    def is_mark(self, text: str) -> bool:
        """Whether it is this punctuation."""
        return self.kind == "mark" and self.text == text

    def is_word(self, *words: str) -> bool:
        """Whether it is one of these words, unquoted."""
        return self.kind == "word" and self.text in words

    @property
    def identifier(self) -> str | None:
        """The name it may stand for: of a quoted or unquoted identifier."""
        return self.text if self.kind in ("word", "name") else None


class UnreadableError(ValueError):
    """The statement can be read in two ways, or does not end."""


def _token(found: re.Match[str]) -> Token:
    kind, text = found.lastgroup or "mark", found[0]
    if kind == "tag":
        kind = "string"
    if kind == "odd" or (kind == "mark" and text in OPENERS):
        msg = (
            f"the statement cannot be read safely at {text!r}: write it without special comments and escapes"
        )
        raise UnreadableError(msg)
    if kind == "name":
        mark = text[0]
        text = text[1:-1].replace(mark * 2, mark)
    return Token(kind, text.casefold() if kind in ("word", "name") else text, found.end())


def tokenize(sql: str, dialect: str) -> list[Token]:
    """The tokens of a statement, without space and comments.

    Raises:
        UnreadableError: it could be read in two ways.
    """
    found = (match for match in PATTERNS[dialect].finditer(sql))
    return [_token(match) for match in found if match.lastgroup not in ("space", "comment")]


def called(tokens: list[Token]) -> set[str]:
    """Names that an opening bracket follows: every function the statement calls, and some that are none."""
    return {
        token.text
        for token, following in pairwise(tokens)
        if token.identifier is not None and following.is_mark("(")
    }
