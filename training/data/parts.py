"""Which databases train and which validate: the same ones for every set.

No question of `spider-train-300` or `spider-syn-train-300` lies on a database that trains.
"""

from collections.abc import Iterable
from typing import Literal

from critiql.evals.data.item import Item
from critiql.evals.data.sampling import part_of
from critiql.training.data.order import rank

Part = Literal["train", "validation"]

VALIDATING = 15
"""Databases that validate; no question on them is learnt."""


def parts_of(items: Iterable[Item], seed: int) -> dict[str, Part]:
    """The databases that are used, by part: one half trains, a few of the other half validate."""
    names = sorted({item.db_id for item in items})
    measuring = [name for name in names if part_of(name) == "validate"]
    validating = sorted(measuring, key=lambda name: rank(seed, "validating", name))[:VALIDATING]
    parts: dict[str, Part] = {name: "train" for name in names if part_of(name) == "fit"}
    held: dict[str, Part] = dict.fromkeys(validating, "validation")
    return parts | held
