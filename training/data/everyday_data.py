"""Examples for the actor in the shapes that analysts use: made by code from schemas, and run.

Every other one is asked as `text_to_sql` asks it, below a worked example where one is like it: to follow an
example, and to change in it what the question asks otherwise, is what a small model has to learn.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from random import Random

from critiql import prompts
from critiql.agent.context import Context
from critiql.agent.memory.made_examples import SEEDS, made_examples
from critiql.evals.data.item import Item
from critiql.tools.database.engine import Database
from critiql.tools.database.result import Rows
from critiql.tools.shapes.made import Made, says_something
from critiql.tools.shapes.makers import made_of
from critiql.training.data.actor_data import actor_row
from critiql.training.data.example_file import Row, balanced
from critiql.training.data.gold import LIMITS, Gold, opened
from critiql.training.data.order import rank
from critiql.training.data.parts import parts_of
from critiql.training.data.rewording import reworded

EACH = 4
"""Made questions of a shape that a database gives at most."""
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
            asked = reworded(made.question, Random(f"{seed} {made.question}"))
            item = replace(gold.item, question=asked, gold=made.sql, index=number)
            examples = _example_beside(item, gold.database) if number % 2 else ""
            row = actor_row(
                replace(gold, item=item), made.shape, parts[item.db_id], context, examples=examples
            )
            if row is not None:
                rows.append(row)
    return balanced(rows, limit, seed)


def _verified(gold: Gold, seed: int) -> Iterator[Made]:
    """What runs and says something: some rows, not too many, and more than zeros.

    Of each shape some a database, drawn by the seed, and none with the draws that examples are made with.
    """
    every = sorted(
        made_of(gold.database.schema(), seed + len(SEEDS)),
        key=lambda made: rank(seed, made.shape, made.question),
    )
    taken: Counter[str] = Counter()
    for made in every:
        result = gold.database.run(made.sql, LIMITS) if taken[made.shape] < EACH else None
        if isinstance(result, Rows) and 0 < len(result.rows) <= MAX_ROWS and says_something(result):
            taken[made.shape] += 1
            yield made


def _example_beside(item: Item, database: Database) -> str:
    """The worked example that the question would be asked with, if any; never its own query."""
    texts = made_examples(item.question, database.schema(), database, 1, but=(item.gold,))
    return prompts.load("examples").render(examples="\n".join(texts.values())) if texts else ""
