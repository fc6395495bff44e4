"""Few-shot examples: verified pairs, of a file or of the memory, whose questions are most like the one asked.

Alike are questions of the same words, which name the same tables and columns, and of the same form: there,
words that name tables and columns are masked before they are compared (as in DAIL-SQL, arXiv 2308.15363).
What is shown is one line a question and one a query, printed from its tree: text in it can close nothing.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from rapidfuzz import fuzz

from critiql import prompts
from critiql.agent.context import Context
from critiql.agent.events import Exemplified, emit
from critiql.agent.memory.verified import Memory, about
from critiql.tools.database.engine import Database
from critiql.tools.question_pairs import Pair, read_pairs
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


def examples_for(question: str, database: Database, context: Context) -> str:
    """What the roles that write SQL are shown of pairs that people verified; empty where none fit.

    Raises:
        PairsError: the file of pairs cannot be read.
        VerifiedError: the folder of the verified memory cannot be looked into.
    """
    pairs = _of_file(database, context)
    memory = about(database) if context.memory else Memory([], [])
    pairs += [one.as_pair() for one in memory.kept]
    if not (pairs or context.examples or memory.damaged):
        return ""
    shown, left_out = chosen(question, pairs, database.schema(), context.examples_shown)
    emit(
        Exemplified(
            pairs=len(pairs),
            shown=[pair.line for pair in shown if not pair.name],
            verified=[pair.name for pair in shown if pair.name],
            left_out=[*left_out, *memory.damaged],
        )
    )
    return prompts.load("examples").render(examples="\n".join(shown.values())) if shown else ""


def _of_file(database: Database, context: Context) -> list[Pair]:
    """The pairs of the file that the settings name, as far as they are about this database."""
    if not context.examples:
        return []
    file = Path(context.examples).expanduser()
    return [pair for pair in read_pairs(file) if pair.is_about(database.url, file.parent)]


def chosen(
    question: str, pairs: Sequence[Pair], schema: Schema, most: int
) -> tuple[dict[Pair, str], list[str]]:
    """The most similar pairs that can be shown, each with its text, and why others cannot be."""
    shown: dict[Pair, str] = {}
    left_out: list[str] = []
    for pair in most_alike(question, pairs, schema):
        if len(shown) == most:
            break
        text, trouble = example(pair, schema)
        if trouble:
            left_out.append(f"{pair.place}: {trouble}")
        else:
            shown[pair] = text
    return shown, left_out


def most_alike(question: str, pairs: Sequence[Pair], schema: Schema) -> list[Pair]:
    """The pairs, those with the most similar questions first."""
    names = {word for table in schema.tables for name in (table.name, *table.by_name) for word in words(name)}
    asked, masked = _words(question), _masked(question, names)

    def likeness(pair: Pair) -> float:
        form = fuzz.token_sort_ratio(masked, _masked(pair.question, names))
        return WORDS * fuzz.token_set_ratio(asked, _words(pair.question)) + form

    return sorted(pairs, key=likeness, reverse=True)


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
