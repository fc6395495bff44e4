"""The right queries that training examples are made from, database by database."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from critiql.evals.data.item import Item
from critiql.tools.database.engine import Database
from critiql.tools.database.open import get_database
from critiql.tools.database.result import Limits
from critiql.tools.errors.lookup import DatabaseValues

LIMITS = Limits(seconds=2.0, rows=2000)
"""What one execution may cost while examples are verified."""


@dataclass(frozen=True)
class Gold:
    """One item with its database open."""

    item: Item
    database: Database
    values: DatabaseValues


def opened(items: Sequence[Item], step: Callable[[], None] = lambda: None) -> Iterator[Gold]:
    """The items database by database, each opened once; the last ones stay open.

    Args:
        items: what to open.
        step: called after each item, for progress.
    """
    ordered = sorted(items, key=lambda item: (str(item.database), item.index))
    for path, group in groupby(ordered, key=lambda item: item.database):
        database = get_database(path)
        values = DatabaseValues(database)
        for item in group:
            yield Gold(item, database, values)
            step()
