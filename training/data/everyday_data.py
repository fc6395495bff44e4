"""Examples for the actor in the shapes that analysts use: made by code from schemas, and run."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from critiql.agent.context import Context
from critiql.evals.data.item import Item
from critiql.tools.database.result import Rows
from critiql.tools.shapes.made import Made, says_something
from critiql.tools.shapes.makers import made_of
from critiql.training.data.actor_data import actor_row
from critiql.training.data.example_file import Row, balanced
from critiql.training.data.gold import LIMITS, Gold, opened
from critiql.training.data.parts import parts_of

MAX_ROWS = 200
"""An answer with more rows is none that a person asks for."""


def everyday_rows(
    items: Sequence[Item], limit: int | None, seed: int, follow: Callable[[int], Callable[[], None]]
) -> list[Row]:
    """Verified examples of every shape, on the databases that the actor's set uses.

    Args:
        items: name the databases; their questions are not used.
        limit: at most so many; every shape is kept about as often as any other.
        seed: names the draws and the wordings.
        follow: for progress, a step a database.
    """
    parts = parts_of(items, seed)
    firsts = {item.db_id: item for item in reversed(items) if item.db_id in parts}
    context = Context()
    rows: list[Row] = []
    for gold in opened(list(firsts.values()), follow(len(firsts))):
        for number, made in enumerate(_verified(gold, seed)):
            item = replace(gold.item, question=made.question, gold=made.sql, index=number)
            row = actor_row(replace(gold, item=item), made.shape, parts[item.db_id], context)
            if row is not None:
                rows.append(row)
    return balanced(rows, limit, seed)


def _verified(gold: Gold, seed: int) -> Iterator[Made]:
    """What runs and says something: some rows, not too many, and more than zeros."""
    for made in made_of(gold.database.schema(), seed):
        result = gold.database.run(made.sql, LIMITS)
        if isinstance(result, Rows) and 0 < len(result.rows) <= MAX_ROWS and says_something(result):
            yield made
