"""What the sets of several roles share: questions that an actor answered, and an example as it is kept."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from critiql.evals.data.item import Item
from critiql.tools.models.model import Prompt
from critiql.training.data.actor_outputs import Predictions
from critiql.training.data.example_file import Row
from critiql.training.data.gold import Gold, opened
from critiql.training.data.parts import Part


class Asked(NamedTuple):
    """A question on its opened database, with what an actor wrote for it."""

    gold: Gold
    written: dict[str, bool]
    """Queries, and whether each gave gold's rows."""
    part: Part


def asked_questions(
    items: Sequence[Item],
    outputs: Predictions,
    parts: dict[str, Part],
    follow: Callable[[int], Callable[[], None]],
) -> Iterator[Asked]:
    """The questions that have outputs, database by database.

    Args:
        items: the questions of a data set.
        outputs: the actor's queries by index of the question.
        parts: by database; one that has none is left out.
        follow: for progress.
    """
    asked = [item for item in items if item.index in outputs and item.db_id in parts]
    for gold in opened(asked, follow(len(asked))):
        yield Asked(gold, outputs[gold.item.index], parts[gold.item.db_id])


def example(task: str, kind: str, part: Part, item: Item, prompt: Prompt, answer: str) -> Row:
    """An example as a set's file holds it; the answer begins with the prompt's opening."""
    return {
        "task": task,
        "kind": kind,
        "part": part,
        "db_id": item.db_id,
        "index": item.index,
        "prefix": prompt.prefix,
        "request": prompt.request,
        "opening": prompt.opening,
        "answer": answer,
    }
