"""Metrics of error detection and of the repair that follows (ErrorLLM, section on metrics; NL2SQL-BUGs).

The positive class is "the SQL is wrong".
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from critiql.evals.statistics import DRAWS, Estimate, proportion

_CELLS = ((True, True), (True, False), (False, True), (False, False))
"""(wrong, flagged) in the order hit, missed, false alarm, silent."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One SQL that a detector looked at."""

    wrong: bool
    """The label."""
    flagged: bool
    """The detector's verdict."""
    types: frozenset[str] = frozenset()
    """Labelled error types; empty when right or not labelled."""
    found: frozenset[str] = frozenset()
    """Error types the detector named."""
    correct_after: bool | None = None
    """Whether the SQL is right after the repair; None when nothing was repaired."""


@dataclass(frozen=True, slots=True)
class DetectionScores:
    """How well errors were detected."""

    true_positives: int
    false_positives: int
    true_negatives: int
    false_negatives: int
    accuracy: Estimate
    precision: Estimate
    """NP of NL2SQL-BUGs."""
    recall: Estimate
    """NR of NL2SQL-BUGs."""
    f1: Estimate
    """Its error is a bootstrap over the items."""
    right_precision: Estimate
    """PP of NL2SQL-BUGs: precision of the class "right"."""
    right_recall: Estimate
    """PR of NL2SQL-BUGs."""


@dataclass(frozen=True, slots=True)
class RepairScores:
    """What the repair that follows detection did."""

    fixed_rate: Estimate
    """FR: of the wrong SQL that was flagged, the share that is right after it."""
    corruption_rate: Estimate
    """CR: of the right SQL that was flagged, the share that is wrong after it."""
    execution_gain: Estimate
    """dEX = (TP * FR - FP * CR) / A over all items."""


@dataclass(frozen=True, slots=True)
class TypeScores:
    """Type-specific accuracy. The papers do not define it; both readings are given under their own names."""

    by_type: dict[str, Estimate]
    """Per type: of the items labelled with it, the share whose named types contain it."""
    any_label: Estimate
    """The same over all labels together."""
    exact_set: Estimate
    """Share of wrong items whose named types are exactly the labelled ones."""


def detection_scores(judged: Sequence[Judged], seed: int = 0, draws: int = DRAWS) -> DetectionScores:
    """D-accuracy, D-precision, D-recall and D-F1, and both of the class "right"."""
    counts = [sum(j.wrong == w and j.flagged == f for j in judged) for w, f in _CELLS]
    hit, missed, false_alarm, silent = counts
    return DetectionScores(
        true_positives=hit,
        false_positives=false_alarm,
        true_negatives=silent,
        false_negatives=missed,
        accuracy=proportion(hit + silent, len(judged)),
        precision=proportion(hit, hit + false_alarm),
        recall=proportion(hit, hit + missed),
        f1=_f1(counts, seed, draws),
        right_precision=proportion(silent, silent + missed),
        right_recall=proportion(silent, silent + false_alarm),
    )


def repair_scores(judged: Sequence[Judged]) -> RepairScores:
    """FR, CR and dEX. An item that was not repaired keeps its label."""
    flagged = [j for j in judged if j.flagged]
    wrong = [_after(j) for j in flagged if j.wrong]
    right = [_after(j) for j in flagged if not j.wrong]
    fixed, broken, n = sum(wrong), len(right) - sum(right), len(judged)
    gain = (fixed - broken) / n if n else math.nan
    error = math.sqrt(((fixed + broken) / n - gain**2) / n) if n else math.nan
    return RepairScores(
        fixed_rate=proportion(fixed, len(wrong)),
        corruption_rate=proportion(broken, len(right)),
        execution_gain=Estimate(gain, n, error, gain - 1.959964 * error, gain + 1.959964 * error),
    )


def type_scores(judged: Sequence[Judged]) -> TypeScores:
    """TSA per error type, over all labels, and as exact match of the set."""
    labelled = [j for j in judged if j.types]
    by_type = {
        name: proportion(sum(name in j.found for j in labelled if name in j.types), count)
        for name, count in sorted(_label_counts(labelled).items())
    }
    hits = sum(len(j.types & j.found) for j in labelled)
    labels = sum(len(j.types) for j in labelled)
    exact = sum(j.types == j.found for j in labelled)
    return TypeScores(by_type, proportion(hits, labels), proportion(exact, len(labelled)))


def _label_counts(labelled: Sequence[Judged]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for name in (name for j in labelled for name in j.types):
        counts[name] = counts.get(name, 0) + 1
    return counts


def _after(item: Judged) -> bool:
    return not item.wrong if item.correct_after is None else item.correct_after


def _f1(counts: Sequence[int], seed: int, draws: int) -> Estimate:
    """F1 = 2 TP / (2 TP + FP + FN); resampling items is a multinomial draw over the four cells."""
    n = sum(counts)
    if n == 0 or not sum(counts[:3]):
        return Estimate(math.nan, n, math.nan, math.nan, math.nan)
    drawn = np.random.default_rng(seed).multinomial(n, np.asarray(counts) / n, draws)
    below = 2 * drawn[:, 0] + drawn[:, 1] + drawn[:, 2]
    values = 2 * drawn[below > 0, 0] / below[below > 0]
    low, high = np.quantile(values, [0.025, 0.975])
    value = 2 * counts[0] / (2 * counts[0] + counts[1] + counts[2])
    return Estimate(value, n, float(values.std(ddof=1)), float(low), float(high))
