"""One made question with its query, and what a maker is."""

from collections.abc import Callable, Iterator
from random import Random
from typing import NamedTuple

from critiql.tools.shapes.star import Star


class Made(NamedTuple):
    """A question and the query that answers it."""

    shape: str
    question: str
    sql: str


Maker = Callable[[Star, Random], Iterator[Made]]
"""Makes questions about one star; whether their queries run and say something is looked at elsewhere."""
