"""Fitting the error-token head: multi-label logistic regression, pulled towards the rows of equation 11."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from critiql.tools.arrays import Flags, Floats
from critiql.tools.errors.head import NULL, ROWS, Head
from critiql.tools.errors.types.catalogue import BY_KEY, ERROR_TYPES

Doubles = NDArray[np.float64]
NEVER = 1.01
"""A threshold no probability reaches: for a type without enough examples to calibrate on."""


def labels(types: Sequence[Sequence[str]]) -> Flags:
    """Targets of shape (n, ROWS) from the error types of each example; none at all is the null token."""
    targets = np.zeros((len(types), ROWS), np.bool_)
    for row, keys in zip(targets, types, strict=True):
        row[[BY_KEY[key].number for key in keys] or [NULL]] = True
    return targets


def fit(
    hidden: Floats,
    targets: Flags,
    *,
    start: Floats | None = None,
    l2: float = 1e-2,
    steps: int = 300,
    model: str = "",
    prompt: str = "",
) -> Head:
    """Fit one logistic regression per token, with all data in every step: the same data gives the same head.

    Args:
        hidden: final hidden states, shape (n, d).
        targets: which tokens hold, shape (n, ROWS); see `labels`.
        start: rows to start from and to be pulled towards, shape (ROWS, d); zeros without it.
        l2: weight of the squared distance to `start`, in standardised units of the hidden state.
        steps: steps of accelerated gradient descent (Nesterov 1983, step size 1 / Lipschitz constant).
        model: fingerprint of the model the states come from.
        prompt: digest of the prompt they are read after.

    Returns:
        A head with thresholds 0.5; `calibrate` sets them on data it was not fitted on.
    """
    mean, scale = hidden.mean(axis=0), hidden.std(axis=0) + 1e-6
    features = np.hstack([(hidden - mean) / scale, np.ones((len(hidden), 1))]).astype(np.float64)
    anchor = np.zeros((ROWS, hidden.shape[1] + 1))
    if start is not None:
        anchor[:, :-1] = start * scale
    solution = _descend(features, targets.astype(np.float64), anchor, l2, steps)
    weights = solution[:, :-1] / scale
    bias = solution[:, -1] - weights @ mean
    half = np.full(ROWS, 0.5, np.float32)
    return Head(weights.astype(np.float32), bias.astype(np.float32), half, model, prompt)


def _descend(features: Doubles, targets: Doubles, anchor: Doubles, l2: float, steps: int) -> Doubles:
    penalty = np.full(anchor.shape[1], l2)
    penalty[-1] = 0.0  # the bias is free
    step = 1 / (0.25 * _largest_eigenvalue(features) + l2)
    rows, ahead, momentum = anchor.copy(), anchor.copy(), 1.0
    for _ in range(steps):
        errors = 0.5 * (1 + np.tanh(0.5 * (features @ ahead.T))) - targets
        gradient = errors.T @ features / len(features) + (ahead - anchor) * penalty
        following = ahead - step * gradient
        faster = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        ahead = following + (momentum - 1) / faster * (following - rows)
        rows, momentum = following, faster
    return rows


def _largest_eigenvalue(features: Doubles, rounds: int = 30) -> float:
    """Largest eigenvalue of X'X / n by power iteration, a little over so that steps stay stable."""
    vector = np.ones(features.shape[1])
    for _ in range(rounds):
        vector = features.T @ (features @ vector)
        vector /= np.linalg.norm(vector)
    return 1.05 * float(np.linalg.norm(features @ vector) ** 2) / len(features)


def calibrate(head: Head, hidden: Floats, targets: Flags, *, precision: float = 0.0, least: int = 5) -> Head:
    """Set the null token's threshold for the best F1 of saying that something is wrong, on held-out data.

    Each type's threshold is then the one of best F1 among the queries of which that is said.

    Args:
        head: the fitted head.
        hidden: held-out hidden states, shape (n, d).
        targets: which tokens hold, shape (n, ROWS).
        precision: only thresholds of types that reach this precision count.
        least: a type with fewer held-out examples is never said.

    Returns:
        The head with its thresholds.
    """
    probabilities = head.probabilities(hidden)
    thresholds = np.full(ROWS, NEVER, np.float32)
    wrong = _best_threshold(1 - probabilities[:, NULL], ~targets[:, NULL], 0.0)
    thresholds[NULL] = np.nextafter(np.float32(1 - wrong), np.float32(1)) if wrong <= 1 else 0
    said = probabilities[:, NULL] < thresholds[NULL]
    for row in (error.number for error in ERROR_TYPES):
        if targets[said, row].sum() >= least:
            thresholds[row] = _best_threshold(probabilities[said, row], targets[said, row], precision)
    return Head(head.weights, head.bias, thresholds, head.model, head.prompt)


def best_f1(probabilities: Floats, holds: Flags) -> float:
    """The best F1 that any threshold on these probabilities has."""
    return float(_f1_by_cut(probabilities, holds)[1].max(initial=0.0))


def _best_threshold(probabilities: Floats, holds: Flags, precision: float) -> float:
    order, scores = _f1_by_cut(probabilities, holds, precision)
    best = int(np.argmax(scores))
    return float(probabilities[order][best]) if scores[best] > 0 else NEVER


def _f1_by_cut(
    probabilities: Floats, holds: Flags, precision: float = 0.0
) -> tuple[NDArray[np.intp], Doubles]:
    """The order of falling probability, and per place the F1 of saying it up to there; -1 where no cut is."""
    order = np.argsort(-probabilities, kind="stable")
    right = np.cumsum(holds[order])
    said = np.arange(1, len(order) + 1)
    scores = np.where(right / said >= precision, 2 * right / (said + holds.sum()), -1.0)
    # equal probabilities stand or fall together: only the last of a run is a cut
    last_of_run = np.append(np.diff(probabilities[order]) != 0, True)
    return order, np.where(last_of_run, scores, -1.0)
