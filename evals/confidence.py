"""How a reading of P(True) becomes the probability that an answer is right: Platt scaling on stored answers.

One logistic regression of right or wrong on logit P(True) of the query that the incumbent rule settles on.
How good it is comes from folds that hold out whole databases: the Brier score beside that of a constant.
"""

from collections.abc import Sequence

import numpy as np
from sklearn.linear_model import LogisticRegression

from critiql.agent.calibration import Confidence, Displacement
from critiql.evals.displacement import FOLDS, Pool
from critiql.evals.draws import Floats
from critiql.evals.statistics import group_folds

LEAST = 100
"""Answers below which nothing is fitted."""


def fit_confidence(pools: Sequence[Pool], fitted: Displacement | None) -> Confidence | None:
    """Fit on all answers with a reading; None with too few, or where a reading tells nothing held out."""
    judged = [(pool.db_id, *settled) for pool in pools if (settled := _settled(pool, fitted)) is not None]
    names = [name for name, _, _ in judged]
    readings = np.array([reading for _, reading, _ in judged])
    right = np.array([is_right for _, _, is_right in judged], dtype=bool)
    if len(judged) < LEAST or right.all() or not right.any() or len(set(names)) < FOLDS:
        return None
    brier, constant = _held_out(names, readings, right)
    scale = _platt(readings, right)
    if brier >= constant or scale.slope <= 0:
        return None
    return scale.model_copy(update={"n": len(judged), "brier": brier, "brier_constant": constant})


def _settled(pool: Pool, fitted: Displacement | None) -> tuple[float, bool] | None:
    """P(True) of the query that the rule ends with, and whether it is right; None without a reading."""
    chosen, right = pool.chosen(fitted)
    reading = chosen.get("p_true")
    return None if reading is None else (reading, right)


def _held_out(names: Sequence[str], readings: Floats, right: np.ndarray) -> tuple[float, float]:
    """Brier scores of the scaling and of the share of right answers, each fitted on the other folds."""
    scaled, constant = np.zeros(len(names)), np.zeros(len(names))
    for inside, outside in group_folds(names, FOLDS):
        platt = _platt(readings[inside], right[inside])
        scaled[outside] = [platt.of(float(reading)) for reading in readings[outside]]
        constant[outside] = right[inside].mean()
    return float(np.mean((scaled - right) ** 2)), float(np.mean((constant - right) ** 2))


def _platt(readings: Floats, right: np.ndarray) -> Confidence:
    inner = np.clip(readings, 1e-9, 1 - 1e-9)
    model = LogisticRegression(C=np.inf).fit(np.log(inner / (1 - inner))[:, None], right)
    return Confidence(slope=float(model.coef_[0, 0]), intercept=float(model.intercept_[0]))
