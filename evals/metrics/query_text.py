"""What test-suite-sql-eval does to the text of a query before it runs it (Zhong et al. 2020).

Tokens are those of sqlparse, because the official verdict depends on them.
"""

import itertools
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import sqlparse
from sqlparse import tokens as kinds

Token = tuple[Any, str]
"""Kind of sqlparse, and text."""

_SLOT = "VALUERARE"
_CURRENT_YEAR = re.compile(r"YEAR\s*\(\s*CURDATE\s*\(\s*\)\s*\)\s*", re.IGNORECASE)
_VALUE_KINDS = (kinds.Literal.String.Single, kinds.Literal.String.Symbol)

_parse: Callable[[str], tuple[Any, ...]] = sqlparse.parse
_format: Callable[..., str] = sqlparse.format


class NoStatementError(ValueError):
    """A text without a statement; the official script ends with an IndexError here."""


def join_operators(sql: str) -> str:
    """Close the gap in `> =`, `< =` and `! =`, inside string literals too."""
    return sql.replace("> =", ">=").replace("< =", "<=").replace("! =", "!=")


def replace_current_year(sql: str) -> str:
    """Put 2020 for `YEAR(CURDATE())`; the blank after it goes as well, as in the official script."""
    return _CURRENT_YEAR.sub("2020", sql)


@lru_cache(maxsize=4096)
def without_distinct(sql: str, *, compat: bool = False) -> str:
    """Drop every DISTINCT.

    Args:
        sql: any text.
        compat: as the official script: only the first statement stays, and `IS DISTINCT FROM` is broken.

    Raises:
        NoStatementError: compat, and the text holds no statement.
    """
    tokens = _first_statement(sql) if compat else [t for s in _parse(sql) for t in _flat(s)]
    kept: list[str] = []
    before = ""
    for kind, text in tokens:
        if text.lower() != "distinct" or (not compat and before in {"IS", "NOT", "IS NOT"}):
            kept.append(text)
        before = text.upper() if kind not in kinds.Whitespace else before
    return "".join(kept)


def plugged(gold: str, prediction: str) -> Iterator[str]:
    """The prediction with the values of the gold in its value slots, in every combination.

    There are (values of the gold) ** (slots of the prediction) of them. Words come out in lower case.

    Raises:
        NoStatementError: one of the two holds no statement.
    """
    _, values = _words_and_values(gold)
    words, _ = _words_and_values(prediction)
    slots = [i for i, word in enumerate(words) if word == _SLOT.lower()]
    choices = itertools.product(sorted(values), repeat=len(slots))
    return (_filled(words, dict(zip(slots, choice, strict=True))) for choice in choices)


def _filled(words: list[str], values: dict[int, str]) -> str:
    return " ".join(values.get(place, word) for place, word in enumerate(words))


def _first_statement(sql: str) -> list[Token]:
    statements = _parse(sql)
    if not statements:
        raise NoStatementError("the text holds no statement")
    return _flat(statements[0])


def _flat(statement: Any) -> list[Token]:
    return [(token.ttype, token.value) for token in statement.flatten()]


def _words_and_values(sql: str) -> tuple[list[str], set[str]]:
    """The words of a query in lower case with value slots, and its values.

    Only values that stand alone between blanks are seen; a number must not follow a `t`, for aliases.
    """
    text, strings = _with_string_slots(_normalised(sql))
    words = text.split()
    numbers: list[str] = []
    for pattern in (r"[-+]?\d*\.\d+", r"[^tT]\d+"):
        found = {number.strip() for number in re.findall(pattern, " ".join(words))}
        numbers += [word for word in words if word in found]
        words = [_SLOT if word in found else word for word in words]
    lowered = [part.lower() for word in words for part in _split_alias(word)]
    return lowered, {*strings, *numbers}


def _normalised(sql: str) -> str:
    tokens = _first_statement(sql.strip().replace(";", "").replace("\t", ""))
    text = " ".join(value for kind, value in tokens if kind is not kinds.Whitespace)
    for alias, number in itertools.product("tT", "123"):
        text = text.replace(f"{alias}{number}.*", "*")
    return re.sub(r"(T\d+\.)\s", r"\1", _format(text, reindent=False, keyword_case="upper"))


def _with_string_slots(text: str) -> tuple[str, list[str]]:
    strings = [value for kind, value in _first_statement(text) if kind in _VALUE_KINDS]
    for string in strings:
        text = text.replace(string.strip(), _SLOT)
    return text, strings


def _split_alias(word: str) -> list[str]:
    return word.replace(".", " . ").split() if re.search(r"[Tt]\d+\.", word) else [word]
