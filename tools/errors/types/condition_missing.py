"""Error 8, Condition Missing: a filter that the question states or implies is not there."""

import re
from collections.abc import Iterator

from sqlglot import exp

from critiql.tools.errors.links import column_node
from critiql.tools.errors.lookup import CATEGORIES
from critiql.tools.errors.mend.conjuncts import add_conjunct
from critiql.tools.errors.mend.periods import of_the_year
from critiql.tools.errors.query import Place, Query, conjuncts
from critiql.tools.errors.types.error_type import BugLabel, ErrorType, Finding, RepairExample
from critiql.tools.errors.types.workbench import Bench, Edit
from critiql.tools.schema.column_kinds import is_text
from critiql.tools.schema.model import Column
from critiql.tools.sql.names import words
from critiql.tools.sql.scope import Source

KEY = "condition_missing"
STEM = 5
"""Letters by which a word of the question is taken for a name of the schema."""
_QUOTED = re.compile(r"""(?<![\w'])'([^'"]{2,60})'(?!\w)|"([^"]{2,60})\"""")
_NUMBER = re.compile(r"(?<!\ball )(?<!\bthe )(?<!\bthrough )(?<![\w.,/-])\d{2,9}(?![\w%/-]|[.,]\d)")


def quoted_text_unused(query: Query) -> Iterator[Finding]:
    """The question quotes a text that a table in use holds, and no constant shares a word with it."""
    constants = " ".join(_texts(query)).casefold()
    for match in _QUOTED.finditer(query.question):
        text = (match[1] or match[2]).strip()
        words = re.findall(r"\w+", text.casefold())
        if words and not any(word[:4] in constants for word in words) and _stored(query, text):
            yield Finding(
                KEY,
                "rule",
                f"The question asks for {text!r}, and no condition mentions it.",
                f"Add the condition on {text!r}.",
                slots={"missing": text, "question_value": text},
            )


def _stored(query: Query, text: str) -> bool:
    """True when a text column of a table in use is known to hold the text, whatever its case."""
    tables = {source.table for scope in query.selects for source in scope.sources if source.table}
    places = (Place(table, column) for table in tables for column in table.columns if is_text(column))
    folded = text.casefold()
    return any(str(value).casefold() == folded for place in places for value in query.distinct(place) or ())


def number_unused(query: Query) -> Iterator[Finding]:
    """The question names a number of two digits or more, and the query neither it nor its neighbour."""
    constants = " ".join(_texts(query))
    numbers = {int(digits) for digits in re.findall(r"\d{1,12}", constants)}
    for match in _NUMBER.finditer(query.question):
        number = int(match[0])
        if match[0] not in constants and not numbers & {number - 1, number + 1}:
            yield Finding(
                KEY,
                "rule",
                f"The question names {match[0]}, and no condition mentions it.",
                f"Add the condition on {match[0]}.",
                slots={"missing": match[0], "question_value": match[0]},
                mended=of_the_year(query, number),
            )


def category_unused(query: Query) -> Iterator[Finding]:
    """The question says a category of a table in use, and the query has no condition on that column.

    Said of one column alone, by a word that no name of the schema has.
    """
    if len(query.selects) != 1 or not query.question or next(query.all(exp.Div, exp.Case), None):
        return
    scope = query.selects[0]
    names = {
        word for table in query.schema.tables for name in (table.name, *table.by_name) for word in words(name)
    }
    used = {id(place.column) for node in query.all(exp.Column) if (place := query.place(node)) is not None}
    found: list[tuple[Source, Column, str]] = []
    for source in scope.sources:
        for column in source.table.columns if source.table is not None else ():
            if source.table is not None and is_text(column) and id(column) not in used:
                texts = _said(query, Place(source.table, column), names)
                found += [(source, column, text) for text in texts]
    if len(found) == 1:
        source, column, text = found[0]
        tree, (twin,) = query.copied(scope.node)
        node = column_node(column.name, source.name if len(scope.sources) > 1 else None, query.parsed.dialect)
        add_conjunct(twin, exp.EQ(this=node, expression=exp.Literal.string(text)))
        yield Finding(
            KEY,
            "rule",
            f"The question says {text!r}, a {column.name}, and no condition is on it.",
            f"Add {column.name} = {text!r}.",
            slots={"missing": f"{column.name} = {text!r}", "question_value": text},
            mended=tree,
        )


def _said(query: Query, place: Place, names: set[str]) -> list[str]:
    """The categories of a column that the question says, and neither the query nor a name of the schema."""
    stored = query.distinct(place) or ()
    if len(stored) > min(CATEGORIES, (place.table.row_count or 0) / 2):
        return []
    constants, stems = (
        " ".join(_texts(query)).casefold(),
        tuple(name[:STEM] for name in names if len(name) >= STEM - 1),
    )
    texts = [text for text in stored if isinstance(text, str) and len(text) >= STEM - 1]
    return [
        text
        for text in texts
        if query.says(text)
        and text.casefold() not in constants
        and not text.isdigit()
        and not text.casefold().startswith(stems)
    ]


def _texts(query: Query) -> Iterator[str]:
    """Every constant and every name of the query: a column may be called after what the question quotes."""
    for node in query.all(exp.Literal, exp.Identifier):
        yield str(node.this)


def dropped_condition(bench: Bench) -> Iterator[Edit]:
    """Leave out one condition of WHERE, or one of several of HAVING; never a join condition or a subquery."""
    for clause in bench.shuffled(bench.query.all(exp.Where, exp.Having)):
        parts = conjuncts(clause.this)
        if isinstance(clause, exp.Having) and len(parts) < 2:
            continue
        for part in bench.shuffled(parts):
            if not part.find(exp.Query) and not _joins(part):
                yield bench.without_conjunct(clause, part, f"{part.sql()} is left out")


def _joins(part: exp.Expr) -> bool:
    return isinstance(part, exp.EQ) and all(isinstance(s, exp.Column) for s in (part.this, part.expression))


CONDITION_MISSING = ErrorType(
    number=8,
    name="Condition Missing",
    description="A filter that the question states or implies is not in the query.",
    priority=6,
    guideline="""Where it belongs: $nodes
Clause: $clause
What the question demands: $missing
Value the question names: $question_value
Column to compare: $column""",
    keywords=("condition", "filter", "missing", "where", "omitted", "constraint"),
    bugs=(
        BugLabel("Condition-Related Errors", "Explicit Condition Missing"),
        BugLabel("Condition-Related Errors", "Implicit Condition Missing"),
    ),
    rules=(quoted_text_unused, number_unused, category_unused),
    operators=(dropped_condition,),
    examples=(
        RepairExample(
            "Which rooms on the second floor cost less than 80?",
            "SELECT number FROM rooms WHERE price < 80",
            "The condition on the floor is missing.",
            "SELECT number FROM rooms WHERE price < 80 AND floor = 2",
        ),
    ),
)
