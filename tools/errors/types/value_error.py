"""Error 7, Value Error: a constant the column does not hold, or one in the wrong format."""

import re
from collections.abc import Iterator
from dataclasses import replace

from rapidfuzz import fuzz, process
from sqlglot import exp

from critiql.tools.errors.links import identifier
from critiql.tools.errors.lookup import CATEGORIES, SHORTEST
from critiql.tools.errors.query import Comparison, Place, Query
from critiql.tools.errors.types.error_type import BugLabel, ErrorType, Finding, RepairExample
from critiql.tools.errors.types.workbench import Bench, Edit, as_literal
from critiql.tools.schema.column_kinds import is_numeric, is_text
from critiql.tools.schema.model import Table

KEY = "value_error"
_DATE = re.compile(r"\d{4}-\d\d?-\d\d?")
"""A date: that nothing happened on it is an answer, and near dates are no better."""
_NO_VALUE = ("", "null", "none", "nan", "n/a")
"""Texts that stand for no value at all in data that was carried over from elsewhere."""
NEAR = 80.0
"""Least fuzzy ratio (0 to 100) of a stored value to be offered for a missing one."""


def absent_value(query: Query) -> Iterator[Finding]:
    """A text compared for equality with a column that does not hold it.

    The paper's rule (figure 7) speaks whenever the value is absent. This one is silent where the question
    spells the value so (the asker may look for what is not there) unless the column holds it in another case,
    and where only blanks or punctuation differ: such cells are faults of the data.
    """
    for comparison in query.comparisons:
        place = query.place(comparison.column)
        if comparison.operator not in (exp.EQ, exp.In) or place is None:
            continue
        if not isinstance(comparison.value, str):
            continue
        stored = query.distinct(place)
        if stored is None or not _is_missed(comparison.value, stored):
            continue
        other_case = [v for v in stored if isinstance(v, str) and v.casefold() == comparison.value.casefold()]
        if other_case or not query.says(comparison.value):
            near = other_case or nearest(comparison.value, stored)
            mended = query.with_constant(comparison.constant, near[0]) if len(near) == 1 else None
            yield _finding(comparison, place, f"{place} holds no {comparison.value!r}.", near, mended)


def copied_key(query: Query) -> Iterator[Finding]:
    """A key compared with a constant that the question does not say, while it says what is behind that key.

    A small model reads keys off the sample rows that it is shown. The query is then right by this content
    alone, and code asks for the key by the words of the question.
    """
    for comparison in query.comparisons:
        place = query.place(comparison.column)
        if comparison.operator is not exp.EQ or place is None or query.values is None or not query.question:
            continue
        if query.says(str(comparison.value)):
            continue
        for table, key in _keyed(query, place):
            found = _said_of(query, table, key, comparison.value)
            if found is not None:
                yield _copied(query, comparison, place, (table, key, *found))
                break


def other_value_said(query: Query) -> Iterator[Finding]:
    """A text that the question does not say, where it says another one that the same column holds.

    A small model reads a category off the sample rows, such as 'shipped' for delivered orders. What the
    column does not hold at all is `absent_value`'s.
    """
    for comparison in query.comparisons:
        place = query.place(comparison.column)
        if comparison.operator is not exp.EQ or place is None or not query.question:
            continue
        if not isinstance(comparison.value, str) or query.says(comparison.value):
            continue
        stored = query.distinct(place) or ()
        said = _unused_and_said(query, stored) if len(stored) <= CATEGORIES else []
        if comparison.value in stored and len(said) == 1:
            explanation = f"The question does not say {comparison.value!r}; {place} also holds {said[0]!r}."
            mended = query.with_constant(comparison.constant, said[0])
            yield _finding(comparison, place, explanation, said, mended)


def _unused_and_said(query: Query, stored: tuple[object, ...]) -> list[str]:
    """Texts that the question says and no constant of the query holds; names of the schema are none."""
    used = " ".join(str(comparison.value).casefold() for comparison in query.comparisons)
    names = {name.casefold() for table in query.schema.tables for name in (table.name, *_columns(table))}
    texts = (text for text in stored if isinstance(text, str) and len(text) >= SHORTEST)
    return [
        text
        for text in texts
        if text.casefold() not in used and text.casefold() not in names and query.says(text)
    ]


def _columns(table: Table) -> Iterator[str]:
    return (column.name for column in table.columns)


def _keyed(query: Query, place: Place) -> Iterator[tuple[Table, str]]:
    """The tables whose one key a column is, or refers to, with the name of the key."""
    name = place.column.name
    if place.table.primary_key == (name,):
        yield place.table, name
    for link in place.table.foreign_keys:
        table = query.schema.table(link.to_table)
        if table is not None and link.columns == (name,) and table.primary_key == link.to_columns:
            yield table, link.to_columns[0]


def _said_of(query: Query, table: Table, key: str, value: str | int | float) -> tuple[str, str] | None:
    """The column and the text by which the question names the row of a key, where it names no other row."""
    assert query.values is not None
    for column in table.columns:
        texts = query.values.distinct(table.name, column.name) if is_text(column) else None
        for text in texts or ():
            if not isinstance(text, str) or len(text) < SHORTEST or not query.says(text):
                continue
            if query.values.beside(table.name, key, column.name, text) == (value,):
                return column.name, text
    return None


def _copied(
    query: Query, comparison: Comparison, place: Place, behind: tuple[Table, str, str, str]
) -> Finding:
    table, key, column, text = behind
    names = (identifier(name, query.parsed.dialect).copy() for name in (column, key, table.name))
    told, wanted, source = names
    named = exp.EQ(this=exp.Column(this=told), expression=exp.Literal.string(text))
    asked = exp.select(exp.Column(this=wanted)).from_(exp.Table(this=source))
    tree, (twin,) = query.copied(comparison.constant)
    twin.replace(exp.Subquery(this=asked.where(named)))
    said = f"The question does not say {comparison.value!r}; it is the {key} of {table.name} {text!r}."
    finding = _finding(comparison, place, said, [], tree)
    return replace(finding, suggestion=f"Look {key} up by {column}.")


def _is_missed(value: str, stored: tuple[object, ...]) -> bool:
    """True when a value that could be held is not, in any format."""
    if value.casefold() in _NO_VALUE or _DATE.match(value) or _holds(stored, value):
        return False
    return _bare(value) not in map(_bare, stored)


def _bare(value: object) -> str:
    """A value without blanks and punctuation, its case kept."""
    return "".join(filter(str.isalnum, str(value)))


def text_in_number_column(query: Query) -> Iterator[Finding]:
    """A numeric column compared with a text that is no number, where every stored value is a number."""
    for comparison in query.comparisons:
        place = query.place(comparison.column)
        if place is None or comparison.operator in (exp.Like, exp.Glob, exp.Is):
            continue
        if not isinstance(comparison.value, str) or not is_numeric(place.column):
            continue
        if comparison.value.casefold() in _NO_VALUE:
            continue
        stored = query.distinct(place)
        if stored and not _is_number(comparison.value) and all(isinstance(v, int | float) for v in stored):
            yield _finding(comparison, place, f"{place} holds numbers; {comparison.value!r} is text.", [])


def nearest(value: object, stored: tuple[object, ...], limit: int = 3) -> list[str]:
    """Stored texts most like a value, ignoring case, the nearest first."""
    texts = [text for text in stored if isinstance(text, str)]
    found = process.extract(
        str(value), texts, scorer=fuzz.ratio, processor=str.casefold, limit=limit, score_cutoff=NEAR
    )
    return [text for text, _, _ in found]


def _finding(
    comparison: Comparison, place: Place, explanation: str, near: list[str], mended: exp.Query | None = None
) -> Finding:
    offered = " or ".join(repr(text) for text in near)
    return Finding(
        KEY,
        "rule",
        explanation,
        f"Use {offered}." if near else "",
        node=comparison.constant,
        slots={
            "current_value": repr(comparison.value),
            "column": str(place),
            "data_type": place.column.type,
            "candidates": ", ".join(repr(text) for text in near),
        },
        mended=mended,
    )


def _holds(stored: tuple[object, ...], value: str) -> bool:
    """True when the column holds the value, as SQLite's affinities would compare it."""
    if value in stored:
        return True
    number = float(value) if _is_number(value) else None
    for held in stored:
        if isinstance(held, int | float):
            if held == number:
                return True
        elif str(held) == value:
            return True
    return False


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def misspelt_value(bench: Bench) -> Iterator[Edit]:
    """Write a text as the question might have it, not as the column holds it."""
    for comparison in bench.shuffled(bench.query.comparisons):
        place = bench.query.place(comparison.column)
        if comparison.operator not in (exp.EQ, exp.NEQ, exp.In) or place is None:
            continue
        if not isinstance(comparison.value, str) or not is_text(place.column):
            continue
        stored = bench.query.distinct(place) or ()
        for variant in bench.shuffled(_variants(comparison.value)):
            if variant != comparison.value and variant not in stored:
                new = exp.Literal.string(variant)
                yield bench.replaced(comparison.constant, new, f"{comparison.value!r} became {variant!r}")
                break


def _variants(text: str) -> list[str]:
    """Morphological and format variants of a text, itself not among them."""
    changed = [text.lower(), text.upper(), text.title(), f"{text}s", text[:-1], text.replace(" ", "_")]
    changed += [text.replace("-", "/"), f"{text} ", text.split(" ")[0]]
    return sorted({variant for variant in changed if variant not in ("", text)})


def other_value(bench: Bench) -> Iterator[Edit]:
    """Compare with another value the column holds, or with a number somewhat off."""
    for comparison in bench.shuffled(bench.query.comparisons):
        place = bench.query.place(comparison.column)
        if place is None or comparison.operator in (exp.Is, exp.Like, exp.Glob):
            continue
        other = next(_others(bench, comparison, place), None)
        if other is not None:
            note = f"{comparison.value!r} became {other.sql()}"
            yield bench.replaced(comparison.constant, other, note)


def _others(bench: Bench, comparison: Comparison, place: Place) -> Iterator[exp.Expr]:
    taken = {other.value for other in bench.query.comparisons}
    for literal in bench.constants(place.table, place.column):
        if bench.query.constant(literal) not in taken:
            yield literal
    if isinstance(comparison.value, int | float):
        for number in bench.shuffled([comparison.value * 10, comparison.value + 1, comparison.value - 1]):
            off = as_literal(number)
            if off is not None and number not in taken:
                yield off


VALUE_ERROR = ErrorType(
    number=7,
    name="Value Error",
    description="A condition compares with a value the column does not hold, or in the wrong format.",
    priority=9,
    guideline="""Error node(s): $nodes
Current value: $current_value
Located in: $clause
Column: $column
Column data type: $data_type
Value the question names: $question_value
Format issue: $format_issue
Values the column holds: $candidates""",
    keywords=("value", "literal", "constant", "format", "spelling", "string", "date"),
    bugs=(
        BugLabel("Value-Related Errors", "Value Mismatch"),
        BugLabel("Value-Related Errors", "Data Format Mismatch"),
    ),
    rules=(absent_value, text_in_number_column, copied_key, other_value_said),
    operators=(misspelt_value, other_value),
    examples=(
        RepairExample(
            "How many orders were cancelled?",
            "SELECT COUNT(*) FROM orders WHERE status = 'Canceled'",
            "orders.status holds 'cancelled', in lower case with two l.",
            "SELECT COUNT(*) FROM orders WHERE status = 'cancelled'",
        ),
    ),
)
