"""Worked examples made by code from the asked database's own schema, for questions in the shapes of analysts.

A small model copies what it sees: an example on another database brings that database's tables along, one on
its own brings joins and totals that are right there. So code makes questions of every shape from the schema
(`tools/shapes`), and those most like the question are shown with queries that ran. (CHASE-SQL,
arXiv 2410.01943, section 3.3, has a model make such examples for each database.)
"""

import re
from collections.abc import Collection
from itertools import islice

from critiql.agent.memory.likeness import by_likeness, example
from critiql.tools.database.engine import Database
from critiql.tools.database.result import Limits, Rows
from critiql.tools.linking.per_schema import per_schema
from critiql.tools.question_pairs import Pair
from critiql.tools.schema.model import Schema
from critiql.tools.shapes.made import says_something
from critiql.tools.shapes.makers import made_of

LIKENESS = 75.0
"""Of 100; a question that is like none of the made ones is asked without them. Chosen on the choosing half of
`everyday`, where below it an example won nothing; docs/results/everyday.md says what it wins."""
SEEDS = range(4)
"""Draws of values and wordings."""
MOST_MADE = 3000
"""Made questions that are compared; a schema of hundreds of tables would have more."""
LIMITS = Limits(seconds=0.5, rows=200)
"""What the query of an example may cost before it is shown; one with more rows is none that a person asks."""
WITHOUT = frozenset({"above_average", "best", "by_thing", "never", "top_per_group"})
"""Shapes that no example is shown for. Most of them a small model writes as well by itself, on `everyday` and
on Spider-train, and an example only adds a column to what is asked; the last it does not follow."""
_VALUE = re.compile(r"(?:WHERE|AND) \S+ = '([^']*)'")
_PERIOD = re.compile(r"\b(month|year)")
_YEAR = re.compile(r"\b(19|20)\d\d\b")
TRIES = 8
"""Queries that are run for one question, at most."""


def made_examples(
    question: str, schema: Schema, database: Database, most: int, but: Collection[str] = ()
) -> dict[str, str]:
    """The texts of made examples by their question, the most similar last: there it is followed best.

    Args:
        question: as it was asked.
        schema: what the prompts show of the database.
        database: where the queries are tried.
        most: so many at most.
        but: queries that are not shown.
    """
    if not most:
        return {}
    texts: dict[str, str] = {}
    for pair in [pair for pair in _alike(question, schema) if pair.sql not in but][:TRIES]:
        text, trouble = example(pair, schema)
        if pair.question not in texts and not trouble and _is_worth_showing(database, pair.sql):
            texts[pair.question] = text
        if len(texts) == most:
            break
    return dict(reversed(texts.items()))


def _alike(question: str, schema: Schema) -> list[Pair]:
    """Similar made questions, the most similar first; none where the shape of that one needs no example."""
    made = per_schema(schema, "made questions", lambda: _made(schema))
    alike = [one.pair for one in by_likeness(question, list(made), schema) if one.likeness >= LIKENESS]
    fitting = [pair for pair in alike if not _asks_for_more(pair, question)]
    fitting = [pair for pair in fitting if not _counts_other_periods(pair, question)] or fitting
    if not fitting or made[fitting[0]] in WITHOUT:
        return []
    return [pair for pair in fitting if made[pair] not in WITHOUT]


def _counts_other_periods(pair: Pair, question: str) -> bool:
    """Whether it goes by months or years, and the question does not: it shows the shape, but no more."""
    asked, made = (set(_PERIOD.findall(text.casefold())) for text in (question, pair.question))
    return bool(made - asked)


def _asks_for_more(pair: Pair, question: str) -> bool:
    """Whether it has a condition that the question has not: a small model would copy that too."""
    if _YEAR.search(pair.question) and not _YEAR.search(question):
        return True
    return any(value.casefold() not in question.casefold() for value in _VALUE.findall(pair.sql))


def _made(schema: Schema) -> dict[Pair, str]:
    """Made questions with their shapes."""
    every = (made for seed in SEEDS for made in made_of(schema, seed))
    return {
        Pair(line=number, question=made.question, sql=made.sql): made.shape
        for number, made in enumerate(islice(every, MOST_MADE))
    }


def _is_worth_showing(database: Database, sql: str) -> bool:
    """Whether the query runs at once and gives some rows, not too many, that are more than zeros."""
    result = database.run(sql, LIMITS)
    return isinstance(result, Rows) and not result.truncated and says_something(result)
