"""How a signal becomes the probability that an answer is right: Platt scaling on stored answers.

One logistic regression of right or wrong on the critic's P(True), and one on the actor's log-probability, of
the query that the incumbent rule settles on. The better of the two by the Brier score is kept, measured on
folds that hold out whole databases, beside that of a constant.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, cast, get_args

import numpy as np
from sklearn.linear_model import LogisticRegression

from critiql.agent.candidates import executes
from critiql.agent.decide.calibration import Confidence, Displacement, Signal, scaled
from critiql.agent.decide.confidence import signal_of
from critiql.agent.evidence import Candidate
from critiql.evals.fit.displacement import FOLDS, Pool
from critiql.evals.fit.draws import Floats
from critiql.evals.run.store import StoredAnswer
from critiql.evals.statistics import group_folds

LEAST = 100
"""Answers below which nothing is fitted."""


class Judged(NamedTuple):
    """A query that an answer ended with."""

    db_id: str
    reading: float
    """Of the signal."""
    right: bool


def fit_confidence(pools: Sequence[Pool], fitted: Displacement | None) -> Confidence | None:
    """The better signal on all its answers; None where neither tells anything held out."""
    scales = [scale for signal in get_args(Signal) if (scale := fit_signal(pools, fitted, signal))]
    return min(scales, key=lambda scale: scale.brier or 0.0, default=None)


def fit_signal(pools: Sequence[Pool], fitted: Displacement | None, signal: Signal) -> Confidence | None:
    """Fit on the queries that the rule settles on; None where nothing is fitted, as in `fit_scale`."""
    return fit_scale([one for pool in pools if (one := _settled(pool, fitted, signal)) is not None], signal)


def fit_scale(judged: Sequence[Judged], signal: Signal) -> Confidence | None:
    """Fit on all answers with a reading; None with too few, or where a reading tells nothing held out."""
    names = [one.db_id for one in judged]
    readings = np.array([one.reading for one in judged])
    right = np.array([one.right for one in judged], dtype=bool)
    if len(judged) < LEAST or right.all() or not right.any() or len(set(names)) < FOLDS:
        return None
    brier, constant = _held_out(names, readings, right, signal)
    scale = _platt(readings, right, signal)
    if brier >= constant or scale.slope <= 0:
        return None
    measured = {"n": len(judged), "brier": brier, "brier_constant": constant}
    return scale.model_copy(update={**measured, "low": float(readings.min()), "high": float(readings.max())})


def judged_answers(answers: Iterable[StoredAnswer]) -> list[Judged]:
    """The answers that ran and were scored, by how likely their writer held the query they ended with."""
    found = []
    for answer in answers:
        candidates = cast("list[Candidate]", answer.candidates)
        ended = [one for one in candidates if one["sql"] == answer.sql and executes(one)]
        reading = signal_of(ended[-1], candidates, "logprob") if ended else None
        if reading is not None and answer.correct is not None:
            found.append(Judged(answer.db_id, reading, answer.correct))
    return found


def _settled(pool: Pool, fitted: Displacement | None, signal: Signal) -> Judged | None:
    """The query that the rule ends with; None where it does not run or has no reading."""
    chosen, right = pool.chosen(fitted)
    reading = signal_of(chosen, pool.candidates, signal) if executes(chosen) else None
    return None if reading is None else Judged(pool.db_id, reading, right)


def _held_out(
    names: Sequence[str], readings: Floats, right: np.ndarray, signal: Signal
) -> tuple[float, float]:
    """Brier scores of the scaling and of the share of right answers, each fitted on the other folds."""
    fitted, constant = np.zeros(len(names)), np.zeros(len(names))
    for inside, outside in group_folds(names, FOLDS):
        platt = _platt(readings[inside], right[inside], signal)
        fitted[outside] = [platt.of(float(reading)) for reading in readings[outside]]
        constant[outside] = right[inside].mean()
    return float(np.mean((fitted - right) ** 2)), float(np.mean((constant - right) ** 2))


def _platt(readings: Floats, right: np.ndarray, signal: Signal) -> Confidence:
    scales = np.array([scaled(float(reading), signal) for reading in readings])
    model = LogisticRegression(C=np.inf).fit(scales[:, None], right)
    return Confidence(signal=signal, slope=float(model.coef_[0, 0]), intercept=float(model.intercept_[0]))
