"""Build a training set: draw gold queries, make examples of each, keep the kinds in balance."""

from collections.abc import Callable, Sequence
from pathlib import Path

from critiql.evals.data.datasets import load
from critiql.evals.data.item import Dataset, Item
from critiql.evals.data.sampling import sample
from critiql.training.data.actor_data import actor_rows
from critiql.training.data.actor_draws import draw_rows
from critiql.training.data.actor_outputs import Predictions, predictions_of
from critiql.training.data.critic_data import critic_rows
from critiql.training.data.detector_data import detector_rows
from critiql.training.data.everyday_data import everyday_rows
from critiql.training.data.example_file import Row, balanced
from critiql.training.data.gold import Gold, opened
from critiql.training.data.order import rank
from critiql.training.data.parts import parts_of
from critiql.training.data.refiner_data import refiner_rows
from critiql.training.data.selector_data import selector_rows
from critiql.training.data.trajectory_data import LOM_KINDS, SAM_KINDS, actor_sam_row, lom_rows, sam_rows

Follow = Callable[[int], Callable[[], None]]
"""Told how many steps there are; gives what to call after each."""

FROM_PREDICTIONS = {
    "actor": draw_rows,
    "llm_critic": critic_rows,
    "selector": selector_rows,
    "refiner": refiner_rows,
}
"""Sets of what an actor wrote."""
WITHOUT_PREDICTIONS: dict[str, Callable[[Dataset, int | None, int, Follow], list[Row]]] = {
    "actor": lambda data, limit, seed, follow: actor_rows(
        data.items, _in_other_words(data), limit, seed, follow
    ),
    "everyday": lambda data, limit, seed, follow: everyday_rows(data.items, limit, seed, follow),
}
"""Sets of gold as it is."""
OTHER_WORDS = "spider-syn-train"
"""The data set with Spider's training questions in other words."""
SPARE = 2.0
"""Gold queries drawn for each example of a kind: not every query allows every kind."""


def build(
    task: str, data: Dataset, *, limit: int | None, seed: int, predictions: Path | None, follow: Follow
) -> list[Row]:
    """The examples of one task.

    Args:
        task: `sam`, `lom`, `detector`, `actor`, `everyday`, or one of those made from predictions.
        data: where gold queries come from.
        limit: at most so many examples; None is all that can be made.
        seed: names every draw.
        predictions: store of an evaluation on the same data.
        follow: for progress.

    Returns:
        Verified examples; all of one database are in one part. Their order is drawn by the seed, so that the
        first of them are a draw of all.

    Raises:
        ValueError: a set of what an actor wrote is asked for without predictions.
    """
    if predictions is None and task in FROM_PREDICTIONS and task not in WITHOUT_PREDICTIONS:
        raise ValueError(
            f"The {task} learns from what an actor wrote. Name the store of an evaluation: --predictions."
        )
    if predictions is None and task in WITHOUT_PREDICTIONS:
        return WITHOUT_PREDICTIONS[task](data, limit, seed, follow)
    outputs = predictions_of(predictions, data.name) if predictions is not None else {}
    if task in FROM_PREDICTIONS:
        return FROM_PREDICTIONS[task](data.items, outputs, limit, seed, follow)
    parts = parts_of(data.items, seed)
    items = [item for item in data.items if item.db_id in parts]
    make = FROM_GOLD[task]
    rows = [row | {"part": parts[row["db_id"]]} for row in make(items, outputs, limit, seed, follow)]
    return sorted(rows, key=lambda row: rank(seed, row["index"], row["kind"], row["sql"]))


def _detector_rows(
    all_items: Sequence[Item], outputs: Predictions, limit: int | None, seed: int, follow: Follow
) -> list[Row]:
    """All questions that the actor was asked, and some of the others."""
    asked = [item for item in all_items if item.index in outputs]
    others = [item for item in all_items if item.index not in outputs]
    items = asked + _drawn(others, limit, 0.5, seed)
    return detector_rows(opened(items, follow(len(items))), outputs, limit, seed)


def _lom_rows(
    all_items: Sequence[Item], _: Predictions, limit: int | None, seed: int, follow: Follow
) -> list[Row]:
    items = _drawn(all_items, limit, SPARE / len(LOM_KINDS), seed)
    rows = [row for gold in opened(items, follow(len(items))) for row in lom_rows(gold, seed)]
    return balanced(rows, limit, seed)


def _sam_rows(
    all_items: Sequence[Item], outputs: Predictions, limit: int | None, seed: int, follow: Follow
) -> list[Row]:
    """What the actor got wrong in names first, since it is rare."""
    items = _drawn(all_items, limit, SPARE / len(SAM_KINDS), seed)
    golds = opened(items, follow(len(items)))
    made = [([*sam_rows(gold, seed)], _actor_rows(gold, outputs)) for gold in golds]
    actors = [row for _, rows in made for row in rows][:limit]
    left = None if limit is None else limit - len(actors)
    return balanced([row for rows, _ in made for row in rows], left, seed) + actors


FROM_GOLD = {"detector": _detector_rows, "lom": _lom_rows, "sam": _sam_rows}
"""Sets of mistakes made in right queries."""


def _in_other_words(data: Dataset) -> Sequence[Item]:
    """Spider's training questions as Spider-Syn asks them, where they are asked for and at hand."""
    return load(OTHER_WORDS).items if data.name == "spider-train" else ()


def _drawn(items: Sequence[Item], limit: int | None, share: float, seed: int) -> list[Item]:
    """So many gold queries for each example wanted, stratified over databases."""
    return sample(items, None if limit is None else max(1, round(limit * share)), seed)


def _actor_rows(gold: Gold, outputs: Predictions) -> list[Row]:
    """What the actor's wrong queries for this question give."""
    wrong = [sql for sql, correct in outputs.get(gold.item.index, {}).items() if not correct]
    return [row for sql in wrong if (row := actor_sam_row(gold, sql)) is not None]
