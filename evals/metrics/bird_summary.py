"""BIRD's three scores summed up, overall and by difficulty."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from critiql.evals.metrics.bird import BirdScore
from critiql.evals.statistics import Estimate, mean, proportion

DIFFICULTIES = ("simple", "moderate", "challenging")
"""BIRD's own, the easiest first."""


@dataclass(frozen=True, slots=True)
class Scored:
    """One query's scores."""

    score: BirdScore
    difficulty: str | None
    timed: bool
    """Whether the reward of R-VES was measured."""


class BirdRow(NamedTuple):
    """The scores of some queries."""

    group: str
    """A difficulty, or `all`."""
    execution: Estimate
    """EX, a share."""
    reward: Estimate | None
    """R-VES, a share: at most 1.118; None where it was not measured."""
    soft_f1: Estimate


def bird_rows(scored: Sequence[Scored]) -> list[BirdRow]:
    """One row a difficulty that occurs, then one of all."""
    groups = [(name, [s for s in scored if s.difficulty == name]) for name in DIFFICULTIES]
    return [_row(name, members) for name, members in (*groups, ("all", scored)) if members]


def _row(group: str, scored: Sequence[Scored]) -> BirdRow:
    timed = all(s.timed for s in scored)
    return BirdRow(
        group,
        proportion(sum(s.score.execution for s in scored), len(scored)),
        mean([math.sqrt(s.score.reward) for s in scored]) if timed else None,
        mean([s.score.soft_f1 for s in scored]),
    )
