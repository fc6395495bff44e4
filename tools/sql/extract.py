"""The SQL in a model's answer: out of code fences and prose, the first statement, nothing after it."""

import json
import re
from collections.abc import Iterator
from itertools import islice

from critiql.tools.sql.parse import Parsed, parse

TRIES = 24
"""Pieces of an answer that are parsed in search of a query."""
READ = 20_000
"""Characters of an answer that are searched; a query does not start later."""

_THOUGHT = re.compile(r"<think>.*?(?:</think>|\Z)", re.DOTALL | re.IGNORECASE)
_FENCE = re.compile(r"(```|~~~)[ \t]*([a-zA-Z0-9_+-]*)[ \t]*\r?\n?(.*?)(?:\1|\Z)", re.DOTALL)
"""A fenced block with its label; one that was cut off runs to the end."""
_START = re.compile(
    r"\b(?:WITH\s+(?:RECURSIVE\s+)?[\w\"`\[]+\s*(?:\(|AS\b)|SELECT\b|VALUES\s*\()", re.IGNORECASE
)
"""Where a query begins in prose."""
_END = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"|`[^`]*`|--[^\n]*|/\*.*?\*/|;", re.DOTALL)


def extract_sql(text: str, dialect: str = "sqlite") -> str:
    r"""The first SQL query in the text, without a closing semicolon.

    A piece that parses is taken before one that does not; an answer without any query comes back stripped.

    >>> extract_sql("Here it is: ```sql\nSELECT 1;\n``` Hope it helps.")
    'SELECT 1'
    """
    text = _THOUGHT.sub(" ", text).strip()
    pieces = list(islice(_pieces(text[:READ]), TRIES))
    parsing = (piece for piece in pieces if isinstance(parse(piece, dialect), Parsed))
    started = (piece for piece in pieces if _START.match(piece))
    return next(parsing, None) or next(started, None) or first_statement(text).strip()


def first_statement(text: str) -> str:
    """The text up to the first semicolon outside quotes and comments."""
    for token in _END.finditer(text):
        if token[0] == ";":
            return text[: token.start()]
    return text


def _pieces(text: str) -> Iterator[str]:
    """Texts that may be the query, the likeliest first."""
    for body in _bodies(text):
        yield first_statement(body).strip()
        for start in islice(_START.finditer(body), 6):
            piece = first_statement(body[start.start() :]).strip()
            yield piece
            paragraphs = piece.split("\n\n")
            yield from ("\n\n".join(paragraphs[:end]).strip() for end in range(len(paragraphs) - 1, 0, -1))


def _bodies(text: str) -> Iterator[str]:
    """The parts that may hold SQL: a JSON field, blocks labelled SQL, other blocks, the rest."""
    if text.startswith("{"):
        yield from _field(text)
    blocks = [(block[2].lower(), block[3]) for block in _FENCE.finditer(text) if block[3].strip()]
    yield from (body for label, body in blocks if "sql" in label)
    yield from (body for label, body in blocks if "sql" not in label)
    yield text.replace("```", " ").replace("~~~", " ") if not blocks else _FENCE.sub(" ", text)
    if text.startswith("`"):
        yield text.strip("`")


def _field(text: str) -> Iterator[str]:
    try:
        answer = json.loads(text)
    except ValueError:
        return
    for name, value in answer.items() if isinstance(answer, dict) else ():
        if name.lower() in ("sql", "query", "sql_query") and isinstance(value, str):
            yield value
