"""Which words of a question name tables, columns and values (ErrorLLM, question-schema structure, case 2).

Spans are n-grams with their character offsets, stop words dropped at both ends. A span links to a table or
column by name (all words, or some of them), and to a column's value when their similarity is at least gamma.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from critiql.tools.database.result import Value
from critiql.tools.linking.name_index import name_index
from critiql.tools.linking.value_index import GAMMA, ValueIndex, ValueMatch
from critiql.tools.schema.model import Schema
from critiql.tools.schema.quoting import cell_text
from critiql.tools.sql.names import words

LONGEST = 6
"""Words of a span."""
MOST_SPANS = 400
"""Spans of one question whose values are looked for."""
LEAST_PARTIAL = 30.0
"""Least share (in percent) of a name's words that a partial link names."""

ALIKE = 4
"""First letters by which two words may be forms of one; of a word of three letters, all."""

LinkKind = Literal[
    "table_exact", "table_partial", "column_exact", "column_partial", "value_exact", "value_fuzzy"
]

_TOKEN = re.compile(r"[^\W_]+(?:[-'’.][^\W_]+)*")
_QUOTED = re.compile(r"\"([^\"]{1,200})\"|“([^”]{1,200})”|(?<!\w)'([^']{1,200})'(?!\w)|‘([^’]{1,200})’")
_STOP_WORDS = """
a about all also an and any are as at be been but by can count did do does each every find for from get give
had has have how i in is it its list many me more most much number of on one only or our out please return
show so some tell than that the their them then there these they this those to total us was we were what when
where which who whom whose will with you your
"""
_STOP = frozenset(_STOP_WORDS.split())


class QuestionSpan(NamedTuple):
    """A piece of the question: `question[start:end]`."""

    start: int
    end: int
    text: str
    quoted: bool = False
    """True for text the question puts in quotation marks; the marks are left out."""


@dataclass(frozen=True, slots=True)
class Link:
    """A span of the question and what it names."""

    span: QuestionSpan
    kind: LinkKind
    table: str
    column: str | None
    """None for a table."""
    value: Value
    """The stored value for links to values, else None."""
    score: float
    """0 to 100."""


def question_spans(question: str, longest: int = LONGEST) -> list[QuestionSpan]:
    """Quoted texts, then n-grams from left to right; none begins or ends with a stop word."""
    spans = [
        QuestionSpan(found.start(group), found.end(group), found[group], True)
        for found in _QUOTED.finditer(question)
        for group in range(1, 5)
        if found[group]
    ]
    tokens = list(_TOKEN.finditer(question))
    stop = [token[0].casefold() in _STOP for token in tokens]
    for first in range(len(tokens)):
        for last in range(min(first + longest, len(tokens)) - 1, first - 1, -1):
            if not stop[first] and not stop[last]:
                start, end = tokens[first].start(), tokens[last].end()
                spans.append(QuestionSpan(start, end, question[start:end]))
    return spans


def content_words(question: str) -> list[str]:
    """The question's words that are no stop words, in its order."""
    return [word for word in _TOKEN.findall(question) if word.casefold() not in _STOP]


def stop_words(question: str) -> int:
    """How many stop words, all of them English, the question has."""
    return sum(word.casefold() in _STOP for word in _TOKEN.findall(question))


def naming_words(said: Sequence[str], schema: Schema) -> int:
    """How many of these words are, or begin like, a word in the name or comment of a table or column."""
    known = _vocabulary(schema)
    return sum(any(_alike(part, other) for part in words(word) for other in known) for word in said)


def _vocabulary(schema: Schema) -> set[str]:
    texts = [text for table in schema.tables for text in (table.name, table.comment)]
    texts += [text for table in schema.tables for each in table.columns for text in (each.name, each.comment)]
    return {part for text in texts for part in words(text or "")} - _STOP


def _alike(one: str, other: str) -> bool:
    """Equal, or one begins with the other, or both with the same four letters: enrolment and `enr`."""
    shorter = min(len(one), len(other))
    return one == other or (shorter >= ALIKE - 1 and one[:shorter][:ALIKE] == other[:shorter][:ALIKE])


def link(
    question: str, schema: Schema, index: ValueIndex | None = None, gamma: float = GAMMA
) -> tuple[Link, ...]:
    """Everything the question's words may name, in the order of the question.

    Args:
        question: The question as asked.
        schema: The schema to link to.
        index: Where values are looked up; without one, names alone are linked.
        gamma: Least similarity (0 to 100) of a value.
    """
    spans = question_spans(question)
    links = [*_names(spans, schema), *(_values(spans, index, gamma) if index else ())]
    kept = _widest(links)
    return tuple(sorted(kept, key=lambda each: (each.span.start, -each.span.end, -each.score)))


def _names(spans: Sequence[QuestionSpan], schema: Schema) -> list[Link]:
    index = name_index(schema)
    links = []
    for span in spans:
        said = words(span.text.replace("'s", "").replace("’s", ""))
        for table, column, name in index.holding(said) if said else ():
            score = _name_score(said, name)
            if score >= LEAST_PARTIAL:
                links.append(Link(span, _name_kind(column, score), table, column, None, score))
    return links


def _name_kind(column: str | None, score: float) -> LinkKind:
    if column is None:
        return "table_exact" if score == 100 else "table_partial"
    return "column_exact" if score == 100 else "column_partial"


def _name_score(said: Sequence[str], name: Sequence[str]) -> float:
    """100 when span and name have the same words, else the share of the name's words that the span has."""
    if "".join(said) == "".join(name):
        return 100.0
    if set(said) < set(name) and not set(said) <= _STOP | {"id"}:
        return 100.0 * len(set(said)) / len(set(name)) - 1.0
    return 0.0


def _values(spans: Sequence[QuestionSpan], index: ValueIndex, gamma: float) -> list[Link]:
    """Values that spans name; a single word in lower case does so only exactly: too many are near it."""
    index.read_all()
    links = []
    for span in spans[:MOST_SPANS]:
        certain = span.quoted or " " in span.text or span.text[:1].isupper() or span.text[:1].isdigit()
        for match in index.find(span.text, limit=5, gamma=gamma if certain else 100.0):
            if _plausible(span, match):
                kind: LinkKind = "value_exact" if match.score == 100 else "value_fuzzy"
                links.append(Link(span, kind, match.table, match.column, match.value, match.score))
    return links


def _plausible(span: QuestionSpan, match: ValueMatch) -> bool:
    """A fuzzy match must agree in its numbers: `Terminal 2` is not `Terminal 3`."""
    return match.score == 100 or re.findall(r"\d+", span.text) == re.findall(r"\d+", str(match.value))


def _widest(links: Sequence[Link]) -> list[Link]:
    """Leave out links inside a longer span that names the same, or anything of the sort exactly."""
    kept: list[Link] = []
    same: dict[tuple[str, str | None, Value], list[QuestionSpan]] = defaultdict(list)
    exact: dict[bool, dict[QuestionSpan, None]] = {False: {}, True: {}}
    for each in sorted(links, key=lambda each: (-each.score, each.span.start - each.span.end)):
        around = same[each.table, each.column, each.value]
        certain = exact[each.value is None]
        hiding = [*around, *(span for span in certain if span != each.span)]
        if not any(_is_inside(each.span, span) for span in hiding):
            kept.append(each)
            around.append(each.span)
            if each.score == 100:
                certain[each.span] = None
    return kept


def _is_inside(span: QuestionSpan, other: QuestionSpan) -> bool:
    return other.start <= span.start and span.end <= other.end


def mentioned_values(links: Sequence[Link], most: int = 12) -> tuple[str, ...]:
    """Lines for a prompt: the values the question names beside their columns, the surest first.

    An exact value hides fuzzy ones of its span and all of shorter spans in it; cells are cut, escaped and on
    one line.
    """
    values = [each for each in links if each.value is not None]
    exact = [each for each in values if each.kind == "value_exact"]
    names = {each.span for each in links if each.value is None}
    shown = [each for each in values if not _is_weak(each, names) and not _is_covered(each, exact)]
    shown.sort(key=lambda each: (-each.score, each.span.start))
    lines = [
        f"{each.table}.{each.column} = '{cell_text(each.value)}' for \"{cell_text(each.span.text)}\""
        for each in shown
    ]
    return tuple(dict.fromkeys(lines))[:most]


def _is_weak(each: Link, names: set[QuestionSpan]) -> bool:
    """A small number, or a word in lower case that also names a table or column: hardly meant as a value."""
    text = each.span.text
    return not each.span.quoted and (
        (text.isdigit() and len(text) <= 2) or (each.span in names and text.islower())
    )


def _is_covered(each: Link, exact: Sequence[Link]) -> bool:
    return any(
        other.span.start <= each.span.start
        and each.span.end <= other.span.end
        and (other.span != each.span or each.kind == "value_fuzzy")
        for other in exact
        if other is not each
    )
