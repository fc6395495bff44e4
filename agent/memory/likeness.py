"""How alike two questions are, and how a pair of question and query is shown.

Alike are questions of the same words, which name the same tables and columns, and of the same form: there,
words that name tables and columns are masked before they are compared (as in DAIL-SQL, arXiv 2308.15363).
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from rapidfuzz import fuzz

from critiql.tools.question_pairs import Pair
from critiql.tools.schema.model import Schema
from critiql.tools.schema.quoting import escape
from critiql.tools.sql.canonical import canonical
from critiql.tools.sql.names import words
from critiql.tools.sql.parse import ParseFailure, parse
from critiql.tools.sql.resolve import resolve

LONGEST = 2000
"""Characters of a question and its query together; a longer pair is not shown."""
MASK = "_"
WORDS = 2.0
"""Weight of the same words against the same form. So weighted, three pairs of the same database name 94 % of
the gold query's tables and 73 % of its columns; with the form first it was 80 % and 52 % (120 questions of
Spider-train each; `python -m critiql.evals.studies.verified_pairs --covered 120`)."""
_TOKEN = re.compile(r"\w+")


class Alike(NamedTuple):
    """A pair with how alike its question is."""

    likeness: float
    """From 0 to 100."""
    pair: Pair


def by_likeness(question: str, pairs: Sequence[Pair], schema: Schema) -> list[Alike]:
    """The pairs, those with the most similar questions first."""
    names = {word for table in schema.tables for name in (table.name, *table.by_name) for word in words(name)}
    asked, masked = _words(question), _masked(question, names)

    def likeness(pair: Pair) -> float:
        form = fuzz.token_sort_ratio(masked, _masked(pair.question, names))
        return (WORDS * fuzz.token_set_ratio(asked, _words(pair.question)) + form) / (WORDS + 1)

    return sorted((Alike(likeness(pair), pair) for pair in pairs), key=lambda one: one.likeness, reverse=True)


def most_alike(question: str, pairs: Sequence[Pair], schema: Schema) -> list[Pair]:
    """The pairs alone, in the same order."""
    return [one.pair for one in by_likeness(question, pairs, schema)]


def example(pair: Pair, schema: Schema) -> tuple[str, str]:
    """A pair as it is shown, and why it cannot be; one of the two is empty."""
    if len(pair.question) + len(pair.sql) > LONGEST:
        return "", f"longer than {LONGEST} characters"
    parsed = parse(pair.sql, schema.dialect)
    if isinstance(parsed, ParseFailure):
        return "", parsed.message
    unknown = resolve(parsed.tree, schema).unresolved
    if unknown:
        return "", f"{unknown[0].name} is not in the schema, or not clear"
    question = escape(" ".join(pair.question.split()))
    return f"Question: {question}\nSQL: {escape(canonical(parsed.tree, schema.dialect))}", ""


def _words(question: str) -> str:
    return " ".join(_TOKEN.findall(question.casefold()))


def _masked(question: str, names: set[str]) -> str:
    """The question with a mask for each word that a table's or column's name has."""
    return " ".join(
        MASK if names.intersection(words(token)) else token for token in _TOKEN.findall(question.casefold())
    )
