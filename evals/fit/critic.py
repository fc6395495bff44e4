"""Calibration of a critic: which threshold, how good on held-out databases, and whether it may decide.

The threshold is the one with the best *measured* accuracy when AC-SQL's policy is replayed over stored draws.
What is reported comes from leave-databases-out folds: each fold's threshold is chosen on the others.
Theorem 1 of the paper gives a prediction from p, q and s beside it; draws are not independent, so the two
differ, and by how much is part of the report.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from critiql.agent.decide.calibration import Interval
from critiql.evals.fit.draws import Booleans, Draws, Floats, accepted, rates, reached, replay
from critiql.evals.fit.theory import accuracy
from critiql.evals.statistics import auc, group_folds

FOLDS = 5
RESAMPLES = 2000
"""Bootstrap resamples; whole databases are drawn."""

THRESHOLDS = 60
"""Quantiles of P(True) that are tried, beside 0, which accepts everything."""


@dataclass(frozen=True)
class CurvePoint:
    """One threshold, over all questions."""

    threshold: float
    q: float
    s: float
    """q and s of the LLM critic among draws that execute."""
    predicted: float
    """P_z of Theorem 1 with p, q, s of both critics together."""
    measured: float
    """Accuracy of the replayed policy."""


@dataclass(frozen=True)
class RoundRow:
    """One round at the fitted threshold."""

    round: int
    p: float
    """Share of right draws over all questions."""
    q: float
    s: float
    """q and s of both critics together; NaN in the last round, which is not judged."""
    waiting: int
    """Questions that reach this round."""
    p_waiting: float
    """Share of right draws among those."""
    predicted: float
    """P_z of Theorem 1 for z = this round, with p of the first round and q, s of all rounds."""
    measured: float
    """Accuracy of the replayed policy for z = this round."""
    repeated: float
    """Share of draws whose canonical SQL was drawn before."""


@dataclass(frozen=True)
class Fit:
    """What calibration found."""

    z: int
    n: int
    databases: int
    threshold: float
    enabled: bool
    """q + s is surely below 1, and rejecting pays: the best threshold is not 0, which rejects nothing."""
    q: Interval
    s: Interval
    q_plus_s: Interval
    auc: Interval
    accuracy_first: Interval
    """Of the first, greedy draw."""
    accuracy_without: Interval
    """Of the policy with the execution critic alone."""
    accuracy_with: Interval
    """Of the policy with both critics, held out."""
    rounds: list[RoundRow]
    curve: list[CurvePoint]
    retry_right_after_wrong: float
    """Share of retries that are right where the greedy draw is wrong."""
    retry_right_after_right: float
    """The same where the greedy draw is right; equal shares would mean independent draws."""
    left_out: int = 0
    roc: list[tuple[float, float]] = field(default_factory=list)
    """Points of the ROC among executing draws: share of wrong and of right ones accepted, per threshold."""


def fit(draws: Draws, z: int, seed: int = 0) -> Fit:
    """Fit a threshold and measure it on held-out databases.

    Raises:
        ValueError: fewer databases than folds.
    """
    if len(set(draws.databases)) < FOLDS:
        raise ValueError(f"Calibration needs questions of at least {FOLDS} databases, better 40.")
    threshold = best_threshold(draws, z)
    held = held_out_accepts(draws, z)
    both = accepted(draws, threshold)
    boot = _Bootstrap(draws, seed)
    judged = draws.executes & ~np.isnan(draws.p_true)
    right = draws.correct[:, :-1]
    q = boot.ratio(held & judged & ~right, judged & ~right)
    s = boot.ratio(~held & judged & right, judged & right)
    total = boot.total((held & judged & ~right, judged & ~right), (~held & judged & right, judged & right))
    later = draws.correct[:, 1:]
    return Fit(
        z=z,
        n=draws.n,
        databases=len(set(draws.databases)),
        threshold=threshold,
        enabled=total.high < 1 and threshold > 0,
        q=q,
        s=s,
        q_plus_s=total,
        auc=_auc(draws, judged),
        accuracy_first=boot.mean(draws.correct[:, 0]),
        accuracy_without=boot.mean(replay(draws, draws.executes, z)),
        accuracy_with=boot.mean(replay(draws, held & draws.executes, z)),
        rounds=list(_rounds(draws, both, z)),
        curve=[_point(draws, t, z) for t in thresholds(draws)],
        retry_right_after_wrong=float(later[~draws.correct[:, 0]].mean()),
        retry_right_after_right=float(later[draws.correct[:, 0]].mean()),
        left_out=draws.left_out,
        roc=_roc(draws, judged),
    )


def thresholds(draws: Draws) -> list[float]:
    """Thresholds to try, ascending: 0, then quantiles of the readings."""
    readings = draws.p_true[~np.isnan(draws.p_true)]
    if not readings.size:
        return [0.0]
    return [0.0, *np.unique(np.quantile(readings, np.linspace(0.01, 0.99, THRESHOLDS))).tolist()]


def best_threshold(draws: Draws, z: int) -> float:
    """The threshold with the best measured accuracy; of several, the middle one."""
    tried = thresholds(draws)
    measured = [replay(draws, accepted(draws, t), z).mean() for t in tried]
    best = np.flatnonzero(np.isclose(measured, max(measured)))
    return float(tried[int(best[len(best) // 2])])


def held_out_accepts(draws: Draws, z: int) -> Booleans:
    """Verdicts of the LLM critic, each with the threshold that the other folds chose, shape (n, z - 1)."""
    verdict = np.zeros_like(draws.executes)
    for fold in group_folds(draws.databases, FOLDS):
        threshold = best_threshold(draws.subset(fold.fit), z)
        verdict[fold.validate] = accepted(draws.subset(fold.validate), threshold, execution=False)
    return verdict


class _Bootstrap:
    """Percentile intervals from resamples of whole databases, the same ones for every figure."""

    def __init__(self, draws: Draws, seed: int) -> None:
        names = sorted(set(draws.databases))
        place = {name: position for position, name in enumerate(names)}
        self._of = np.array([place[name] for name in draws.databases])
        self._count = len(names)
        generator = np.random.default_rng(seed)
        self._weights = generator.multinomial(self._count, np.full(self._count, 1 / self._count), RESAMPLES)

    def ratio(self, part: Booleans, whole: Booleans) -> Interval:
        """Part over whole, both of shape (n, ...)."""
        return self.total((part, whole))

    def mean(self, values: Booleans) -> Interval:
        """Mean of one value a question."""
        return self.ratio(values, np.ones_like(values))

    def total(self, *ratios: tuple[Booleans, Booleans]) -> Interval:
        """Sum of ratios."""
        value = sum(float(part.sum()) / max(float(whole.sum()), 1) for part, whole in ratios)
        samples = sum(self._sums(part) / np.maximum(self._sums(whole), 1) for part, whole in ratios)
        low, high = np.percentile(np.asarray(samples), [2.5, 97.5])
        n = sum(int(whole.sum()) for _, whole in ratios)
        return Interval(value=value, low=float(low), high=float(high), n=n)

    def _sums(self, values: Booleans) -> Floats:
        per_question = values.reshape(len(values), -1).sum(axis=1)
        per_database = np.bincount(self._of, per_question, self._count)
        sums: Floats = (self._weights @ per_database).astype(float)
        return sums


def _auc(draws: Draws, judged: Booleans) -> Interval:
    """Area under the ROC of P(True) among executing draws; 0.5 without draws of both kinds."""
    found = auc(draws.p_true[judged].tolist(), draws.correct[:, :-1][judged].tolist())
    if np.isnan(found.value):
        return Interval(value=0.5, low=0.0, high=1.0, n=found.n)
    return Interval(value=found.value, low=found.low, high=found.high, n=found.n)


def _roc(draws: Draws, judged: Booleans) -> list[tuple[float, float]]:
    right = draws.correct[:, :-1][judged]
    readings = draws.p_true[judged]
    if right.all() or not right.any():
        return []
    points = [(readings[~right] >= t, readings[right] >= t) for t in (*thresholds(draws), 1.01)]
    return [(float(wrong.mean()), float(good.mean())) for wrong, good in points]


def _rounds(draws: Draws, accepts: Booleans, z: int) -> Iterator[RoundRow]:
    overall = rates(draws, accepts)._replace(p=float(draws.correct[:, 0].mean()))
    waiting = reached(draws, accepts, z)
    for index in range(z):
        here = rates(draws, accepts, slice(index, index + 1)) if index < draws.z - 1 else None
        yield RoundRow(
            round=index + 1,
            p=float(draws.correct[:, index].mean()),
            q=here.q if here else float("nan"),
            s=here.s if here else float("nan"),
            waiting=waiting[index][0],
            p_waiting=waiting[index][1],
            predicted=accuracy(overall, index + 1),
            measured=float(replay(draws, accepts, index + 1).mean()),
            repeated=float(draws.repeats[:, index].mean()),
        )


def _point(draws: Draws, threshold: float, z: int) -> CurvePoint:
    alone = draws.executes & ~np.isnan(draws.p_true)
    right = draws.correct[:, :-1]
    accepts = accepted(draws, threshold)
    overall = rates(draws, accepts)._replace(p=float(draws.correct[:, 0].mean()))
    return CurvePoint(
        threshold=threshold,
        q=_share(accepts, alone & ~right),
        s=_share(~accepts, alone & right),
        predicted=accuracy(overall, z),
        measured=float(replay(draws, accepts, z).mean()),
    )


def _share(values: Booleans, where: Booleans) -> float:
    return float(values[where].mean()) if where.any() else float("nan")
