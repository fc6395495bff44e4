"""Examples for the actor from what it wrote itself: its right queries, and gold where none was right.

After rejection sampling (arXiv 2308.01825). Where a model is right already it learns its own query, so that
it is moved only where it was wrong.
"""

from collections.abc import Callable, Sequence

from critiql.agent.context import Context
from critiql.evals.data.item import Item
from critiql.training.data.actor_data import actor_row
from critiql.training.data.actor_outputs import Predictions
from critiql.training.data.asked import asked_questions
from critiql.training.data.example_file import Row
from critiql.training.data.order import rank
from critiql.training.data.parts import parts_of

KINDS = ("missed", "mended", "own")
"""No query was right, a later one was, the first one was; in this order they are taken."""


def draw_rows(
    items: Sequence[Item],
    outputs: Predictions,
    limit: int | None,
    seed: int,
    follow: Callable[[int], Callable[[], None]],
) -> list[Row]:
    """One example for each question that was asked; databases are divided as for every set.

    Args:
        items: the questions of a data set.
        outputs: the actor's queries by index of the question, the first one first.
        limit: at most so many that train; those it knows already are left out first.
        seed: names the draw.
        follow: for progress.

    Returns:
        The examples in an order of the seed's.
    """
    context, asked = Context(), asked_questions(items, outputs, parts_of(items, seed), follow)
    made = [
        actor_row(gold, kind_of(written), part, context, right_of(written)) for gold, written, part in asked
    ]
    rows = sorted((row for row in made if row is not None), key=lambda row: rank(seed, row["index"]))
    train = sorted((row for row in rows if row["part"] == "train"), key=lambda row: KINDS.index(row["kind"]))
    held = [row for row in rows if row["part"] == "validation"]
    return sorted(train[:limit], key=lambda row: rank(seed, row["index"])) + held


def right_of(written: dict[str, bool]) -> str | None:
    """The first right query; None where none is."""
    return next((sql for sql, right in written.items() if right), None)


def kind_of(written: dict[str, bool]) -> str:
    """How far the actor came by itself."""
    right = right_of(written)
    if right is None:
        return "missed"
    return "own" if right == next(iter(written)) else "mended"
