"""An answer in words, built from the rows by code: every number in it stands in the rows or counts them."""

import re
from collections.abc import Sequence

from critiql.agent.evidence import SHOWN_CELL
from critiql.tools.database.result import Failure, Result, Value
from critiql.tools.schema.quoting import escape, escape_lines, shown_number

MARKDOWN = re.compile(r"[\\`*_{}\[\]()<>#|~!&$@]|:(?=//)|(?<=www)\.", re.IGNORECASE)
"""Characters that Markdown or HTML may read as a mark, or that make a link of an address."""
AGGREGATES = {
    "count": "count",
    "sum": "total",
    "avg": "average",
    "min": "smallest value",
    "max": "largest value",
}
"""What a person calls an aggregate function."""
_AGGREGATE = re.compile(rf"({'|'.join(AGGREGATES)})\\\([^()]*\\\)$", re.IGNORECASE)
"""A column that is one such call, its parentheses escaped for Markdown."""
_PLURAL = re.compile(r"[a-z]{2,}[^sui\W\d_]s")
"""A name that is one English word in the plural; `status`, `class` and `basis` are not taken for one."""


def sentence(result: Result) -> str:
    """What came back, in one sentence; names and cells are escaped for Markdown.

    More than one row is counted and not told: a table of them stands beside the sentence.
    """
    if isinstance(result, Failure):
        return f"The query failed: {plain(result.message)}"
    rows, names = result.rows, [plain(name) for name in result.columns]
    if not rows:
        return "No row fulfils the query."
    if len(rows) == 1 and not result.truncated:
        return _one_row(names, rows[0])
    return f"{'More than ' if result.truncated else ''}{counted(len(rows), 'row')}."


def plain(text: str) -> str:
    r"""Text that shows as it is: control characters as visible escapes, Markdown marks behind a backslash.

    >>> plain("2*3*4")
    '2\\*3\\*4'
    """
    return MARKDOWN.sub(r"\\\g<0>", escape(text))


def unmarked(text: str) -> str:
    """The inverse of `plain` for a terminal, which reads no Markdown; control characters stay escaped."""
    return re.sub(r"\\(.)", r"\1", text)


def fenced(text: str, language: str) -> str:
    """A code block of Markdown that nothing in the text closes; control characters are visible escapes."""
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{escape_lines(text)}\n{fence}"


def cell(value: Value) -> str:
    """A cell in a sentence. Long text is cut, and never within a number."""
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        return "binary data"
    text = shown_number(value) if isinstance(value, float) else str(value)
    if isinstance(value, str) and len(text) > SHOWN_CELL:
        text = re.sub(r"[\d.,+\-eE]+$", "", text[:SHOWN_CELL]) + "…"
    return plain(text)


def counted(number: int, noun: str) -> str:
    """A number with its noun, which takes an s but for one: `1 row`, `3 rows`.

    >>> counted(1, "row"), counted(3, "row")
    ('1 row', '3 rows')
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def query_name(number: int) -> str:
    """What a person calls the query of this number, which counts from 0.

    >>> query_name(0)
    'query 1'
    """
    return f"query {number + 1}"


def _one_row(names: Sequence[str], row: Sequence[Value]) -> str:
    if len(names) == 1:
        return _one_value(names[0], row[0])
    return f"One row: {_pairs(names, row)}."


def _one_value(name: str, value: Value) -> str:
    """A whole number of what the column is named after is counted: `250 customers`."""
    if isinstance(value, int) and value != 1 and _PLURAL.fullmatch(name):
        return f"{cell(value)} {name}."
    return f"The {_spoken(name)} is {cell(value)}."


def _spoken(name: str) -> str:
    """A column's name; where the query gave it none, what its function counts."""
    called = _AGGREGATE.match(name)
    return AGGREGATES[called[1].casefold()] if called else name


def _pairs(names: Sequence[str], row: Sequence[Value]) -> str:
    return ", ".join(f"{name} is {cell(value)}" for name, value in zip(names, row, strict=True))
