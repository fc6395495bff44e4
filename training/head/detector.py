"""Fit the error-token head on hidden states, calibrate it on other databases, and measure it there."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from critiql.evals.metrics.detection import Judged, detection_scores, type_scores
from critiql.evals.statistics import auc, group_folds
from critiql.tools.arrays import Floats
from critiql.tools.errors.head import NULL, Head
from critiql.tools.errors.types.catalogue import ERROR_TYPES
from critiql.training.data.example_file import Row
from critiql.training.data.order import rank
from critiql.training.head.head_fit import calibrate, fit, labels

FOLDS = 5
"""Groups of validation databases: thresholds are set on the others and measured on one."""
L2 = 0.1
"""Chosen among 0.001 to 1 by D-F1 over groups of train databases (docs/results/errors/head.md)."""
STEPS = 300


@dataclass(frozen=True)
class Fitted:
    """A head and how good it is."""

    head: Head
    validation: Row
    """Figures on databases the head was not fitted on, with 95 % intervals."""


def drawn(rows: Sequence[Row], limit: int | None) -> list[Row]:
    """At most so many examples, the same ones every time, in their old order."""
    if limit is None or limit >= len(rows):
        return list(rows)
    order = sorted(range(len(rows)), key=lambda n: rank(rows[n]["index"], rows[n]["sql"]))
    kept = set(order[:limit])
    return [row for number, row in enumerate(rows) if number in kept]


def check_parts(rows: Sequence[Row]) -> None:
    """Refuse data that a head cannot be fitted or measured on.

    Raises:
        ValueError: a part is empty, or the parts share a database; the message says what to do.
    """
    databases: dict[str, set[str]] = {"train": set(), "validation": set()}
    for row in rows:
        databases[row["part"]].add(row["db_id"])
    if not databases["train"] or len(databases["validation"]) < 2:
        raise ValueError(
            f"The data have {len(databases['train'])} databases to train on and "
            f"{len(databases['validation'])} to validate on; one and two are needed. Build a larger set."
        )
    if shared := databases["train"] & databases["validation"]:
        raise ValueError(f"Both parts hold the databases {', '.join(sorted(shared))}. Build the set again.")


def fit_detector(
    rows: Sequence[Row], hidden: Floats, model: str, prompt: str, start: Floats | None = None
) -> Fitted:
    """Fit, calibrate and measure the head.

    Args:
        rows: detector examples of both parts; see `check_parts`.
        hidden: their hidden states, shape (n, d).
        model: fingerprint of the model.
        prompt: digest of the detector's prompt.
        start: rows to start from and to be pulled towards, shape (ROWS, d); zeros without it.

    Returns:
        The head with thresholds from all of validation, and figures whose thresholds come from other
        databases than those they are measured on.
    """
    targets = labels([row["types"] for row in rows])
    train = np.array([row["part"] == "train" for row in rows])
    head = fit(hidden[train], targets[train], start=start, l2=L2, steps=STEPS, model=model, prompt=prompt)
    held = [row for row in rows if row["part"] == "validation"]
    states, truths = hidden[~train], targets[~train]
    judged: list[Judged] = []
    groups = [row["db_id"] for row in held]
    for fold in group_folds(groups, min(FOLDS, len(set(groups)))):
        calibrated = calibrate(head, states[fold.fit], truths[fold.fit])
        judged += [_judged(held[n], calibrated, states[n]) for n in fold.validate]
    right = [bool(one) for one in truths[:, NULL]]
    figures = {
        "examples": len(held),
        "databases": len(set(groups)),
        "detection": asdict(detection_scores(judged)),
        "types": asdict(type_scores(judged)),
        "null_token_auc": asdict(auc([float(p) for p in head.correct(states)], right)),
    }
    return Fitted(calibrate(head, states, truths), figures)


def thresholds_of(head: Head) -> dict[str, float | None]:
    """By type the probability from which it is said; None for a type with too few examples to be said."""
    pairs = [(error.key, float(head.thresholds[error.number])) for error in ERROR_TYPES]
    return {key: round(value, 4) if value <= 1 else None for key, value in pairs}


def plain(value: Any) -> Any:
    """A value as JSON can hold it: NaN becomes None, numbers keep four decimals."""
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, float):
        return round(value, 4) if math.isfinite(value) else None
    return value


def _judged(row: Row, head: Head, state: Floats) -> Judged:
    found = frozenset(key for key, _ in head.detect(state))
    return Judged(bool(row["types"]), bool(found), frozenset(row["types"]), found)
