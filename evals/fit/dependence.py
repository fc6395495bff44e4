"""How far a redraw depends on the draw before it, fitted on stored loops."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from critiql.evals.fit.draws import drawn
from critiql.evals.run.store import StoredAnswer
from critiql.evals.statistics import Estimate, bootstrap, proportion

LONGEST = 20
"""Draws of one question that count: the largest z."""


@dataclass(frozen=True)
class Dependence:
    """What the redraws of a run show."""

    p: Estimate
    """First draws that are right."""
    after_wrong: Estimate
    """Redraws that are right where the draw before was wrong: w."""
    after_right: Estimate
    """Redraws that are right where the draw before was right; n is 0 where no right draw was rejected."""
    value: Estimate
    """d = 1 - w / p; its interval resamples whole databases."""


def fit_dependence(answers: Sequence[StoredAnswer]) -> Dependence:
    """Fit d on the draws of a run's answers.

    Raises:
        ValueError: no wrong draw was followed by another, or no first draw is right.
    """
    loops = [
        (answer.db_id, [bool(c["correct"]) for c in draws])
        for answer in answers
        if (draws := drawn(answer, LONGEST))
    ]
    names = sorted({name for name, _ in loops})
    counts = np.array([sum(_counted(loop) for name, loop in loops if name == each) for each in names])
    if not len(counts) or not counts[:, 3].sum() or not counts[:, 1].sum():
        raise ValueError("The dependence of redraws needs wrong draws that were drawn again, and right ones.")

    def resampled(chosen: NDArray[np.intp]) -> float:
        return _dependence(counts[chosen].sum(axis=0))

    total = counts.sum(axis=0)
    error, low, high = bootstrap(len(counts), resampled)
    return Dependence(
        p=proportion(int(total[1]), int(total[0])),
        after_wrong=proportion(int(total[2]), int(total[3])),
        after_right=proportion(int(total[4]), int(total[5])),
        value=Estimate(_dependence(total), int(total[0]), error, low, high),
    )


def _counted(loop: Sequence[bool]) -> NDArray[np.int64]:
    """First draws, right ones; redraws after a wrong draw: right, all; after a right one: right, all."""
    pairs = list(pairwise(loop))
    after_wrong = [now for before, now in pairs if not before]
    after_right = [now for before, now in pairs if before]
    sums = (1, loop[0], sum(after_wrong), len(after_wrong), sum(after_right), len(after_right))
    return np.array(sums, dtype=np.int64)


def _dependence(counts: NDArray[np.int64]) -> float:
    questions, right, mended, wrong = counts[:4]
    return 1 - float(mended / wrong) / float(right / questions) if wrong and right else float("nan")
