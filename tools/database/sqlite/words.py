"""The tokens of a SQLite statement, cut as SQLite's tokenizer cuts them. Standard library only."""

import re
from itertools import pairwise
from typing import NamedTuple

_TOKEN = re.compile(
    r"""
    (?P<space>[ \t\n\f\r]+|--[^\n]*|/\*(?:.*?\*/|.*\Z))
    |(?P<name>'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\])
    |(?P<word>[A-Za-z_$\x80-\U0010ffff][\w$\x80-\U0010ffff]*)
    |(?P<number>\d[\w.$]*)
    |(?P<mark>.)
    """,
    re.VERBOSE | re.DOTALL,
)


class Word(NamedTuple):
    """One token that is neither space nor comment."""

    text: str
    """Case-folded; a quoted name or string without its quotes."""
    is_quoted: bool

    @property
    def may_name(self) -> bool:
        """Whether it may stand for a name: anything but a mark or a number."""
        return self.is_quoted or self.text[:1].isalpha() or self.text[:1] in "_$" or self.text[:1] > "\x7f"


def words(sql: str) -> list[Word]:
    """The tokens; strings count as names, since SQLite takes them for ones."""
    return [_word(found) for found in _TOKEN.finditer(sql) if found.lastgroup != "space"]


def _word(found: re.Match[str]) -> Word:
    is_quoted = found.lastgroup == "name"
    return Word(_unquoted(found[0]) if is_quoted else found[0].casefold(), is_quoted)


def _unquoted(text: str) -> str:
    mark = text[-1]
    return text[1:-1].replace(mark * 2, mark).casefold()


def has_word(tokens: list[Word], *wanted: str) -> bool:
    """Whether one of these words stands outside quotes and comments."""
    return any(token.text in wanted and not token.is_quoted for token in tokens)


def called_names(tokens: list[Word]) -> frozenset[str]:
    """Names that an opening bracket follows: functions, tables with arguments, and some that are neither."""
    return frozenset(
        one.text for one, after in pairwise(tokens) if one.may_name and after == Word("(", False)
    )


def common_names(tokens: list[Word]) -> frozenset[str]:
    """Names that `(` or `AS (`, `AS [NOT] MATERIALIZED (` follows: of common tables, and others."""
    found = set(called_names(tokens))
    for place, token in enumerate(tokens[:-1]):
        after = [word.text for word in tokens[place + 1 : place + 5] if not word.is_quoted]
        is_body = after[:1] == ["as"] and after[1:2] and after[1] in ("(", "not", "materialized")
        if token.may_name and is_body:
            found.add(token.text)
    return frozenset(found)
