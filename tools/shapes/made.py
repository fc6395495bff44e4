"""One made question with its query, and what a maker is."""

from collections.abc import Callable, Iterator
from random import Random
from typing import NamedTuple

from critiql.tools.database.result import Rows
from critiql.tools.shapes.star import Star


class Made(NamedTuple):
    """A question and the query that answers it."""

    shape: str
    question: str
    sql: str


Maker = Callable[[Star, Random], Iterator[Made]]
"""Makes questions about one star; whether their queries run and say something is looked at elsewhere."""


def says_something(rows: Rows) -> bool:
    """Whether some cell is more than nothing and zero."""
    return any(cell not in (None, 0, 0.0) for row in rows.rows for cell in row)
