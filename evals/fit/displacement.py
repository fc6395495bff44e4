"""The score by which a challenger displaces an incumbent, fitted on stored candidates of text_to_sql.

Plain logistic regression over within-question differences, on the pairs where exactly one of the two is
right. The margin is the one with the best accuracy when the incumbent rule itself (`agent.evidence.settle`)
is replayed; what is reported comes from databases that neither weights nor margin were fitted on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from sklearn.linear_model import LogisticRegression

from critiql.agent.decide.calibration import Displacement
from critiql.agent.decide.incumbent import Difference, difference, evidence, score, settle
from critiql.agent.evidence import Candidate
from critiql.evals.fit.draws import Floats
from critiql.evals.run.store import StoredAnswer
from critiql.evals.statistics import Paired, compare, group_folds

FOLDS = 5
LEAST_PAIRS = 20
"""Discordant pairs below which nothing is fitted."""

MARGINS = 40
"""Quantiles of the challengers' scores that are tried, beside never displacing."""


@dataclass(frozen=True)
class Pool:
    """The candidates of one question."""

    db_id: str
    candidates: tuple[Candidate, ...]
    right: tuple[bool, ...]
    """Per candidate."""

    def settled(self, fitted: Displacement | None) -> bool:
        """Whether the incumbent that the rule ends with is right."""
        return self.chosen(fitted)[1]

    def chosen(self, fitted: Displacement | None) -> tuple[Candidate, bool]:
        """The incumbent that the rule ends with, and whether it is right."""
        incumbent, _ = settle(self.candidates, self.candidates[0], fitted)
        return incumbent, self.right[self.candidates.index(incumbent)]


@dataclass(frozen=True)
class DisplacementFit:
    """What fitting found.

    `fitted` is None with too few pairs, or where it gains no more on held-out databases than the unfitted
    rule, which then decides.
    """

    fitted: Displacement | None
    first: float
    """Share of questions whose first candidate is right."""
    any_right: float
    """Share with a right one among all candidates: no choice can do better."""
    held_out: Paired | None
    """The fitted rule against the first candidate, on held-out databases."""
    unfitted: Paired
    """The rule without a fit against the first candidate."""


def pools_of(answers: Sequence[StoredAnswer]) -> list[Pool]:
    """The scored candidates of each answer; answers that cannot be scored are left out."""
    scored = [a for a in answers if a.correct is not None and a.candidates]
    return [_pool(answer) for answer in scored if all(c["correct"] is not None for c in answer.candidates)]


def fit_displacement(pools: Sequence[Pool]) -> DisplacementFit:
    """Fit on all questions, measured by leave-databases-out folds.

    Raises:
        ValueError: no questions.
    """
    first = [pool.right[0] for pool in pools]
    held = _held_out(pools)
    unfitted = compare(first, [pool.settled(None) for pool in pools])
    pays = held is not None and held.difference.value > unfitted.difference.value
    return DisplacementFit(
        fitted=_fit(pools, held) if pays else None,
        first=float(np.mean(first)),
        any_right=float(np.mean([any(pool.right) for pool in pools])),
        held_out=held,
        unfitted=unfitted,
    )


def _held_out(pools: Sequence[Pool]) -> Paired | None:
    """The rule on each fold as the other folds fit it; None where some folds have too few pairs."""
    names = [pool.db_id for pool in pools]
    if len(set(names)) < FOLDS:
        return None
    first: list[bool] = []
    after: list[bool] = []
    for inside, outside in group_folds(names, FOLDS):
        fitted = _fit([pools[i] for i in inside], None)
        if fitted is None:
            return None
        first += [pools[i].right[0] for i in outside]
        after += [pools[i].settled(fitted) for i in outside]
    return compare(first, after)


def _fit(pools: Sequence[Pool], held: Paired | None) -> Displacement | None:
    features, labels = _pairs(pools)
    if len(labels) < LEAST_PAIRS or len(set(labels)) < 2:
        return None
    model = LogisticRegression().fit(features, labels)
    weights = dict(zip(Difference._fields, map(float, model.coef_[0]), strict=True))
    fixed, broken = (held.fixed, held.broken) if held else (0, 0)
    base = Displacement(weights=weights, margin=np.inf, pairs=len(labels), fixed=fixed, broken=broken)
    return base.model_copy(update={"margin": _best_margin(pools, base)})


def _pairs(pools: Sequence[Pool]) -> tuple[Floats, list[bool]]:
    """Differences of challengers to incumbents, shape (pairs, 5), and whether the challenger is right."""
    rows: list[Difference] = []
    labels: list[bool] = []
    for pool in pools:
        for change, right in _challenges(pool):
            if right != pool.right[0]:
                rows.append(change)
                labels.append(right)
    return np.array(rows, dtype=float).reshape(-1, len(Difference._fields)), labels


def _challenges(pool: Pool) -> list[tuple[Difference, bool]]:
    """Executing challengers of an executing first candidate that return other rows, each row set once."""
    incumbent = evidence(pool.candidates[0], pool.candidates)
    seen = {incumbent.rows}
    found = []
    for candidate, right in zip(pool.candidates[1:], pool.right[1:], strict=True):
        challenger = evidence(candidate, pool.candidates)
        if incumbent.executes and challenger.executes and challenger.rows not in seen:
            seen.add(challenger.rows)
            found.append((difference(challenger, incumbent), right))
    return found


def _best_margin(pools: Sequence[Pool], base: Displacement) -> float:
    """The margin with the best accuracy; of several, the largest, which displaces least."""
    scores = [score(change, base.weights) for pool in pools for change, _ in _challenges(pool)]
    tried = [*np.unique(np.quantile(scores, np.linspace(0, 1, MARGINS))).tolist(), max(scores) + 1.0]
    measured = [sum(p.settled(base.model_copy(update={"margin": m})) for p in pools) for m in tried]
    return float(max(m for m, right in zip(tried, measured, strict=True) if right == max(measured)))


def _pool(answer: StoredAnswer) -> Pool:
    candidates: list[dict[str, Any]] = answer.candidates
    plain = tuple(cast(Candidate, c) for c in candidates)
    return Pool(answer.db_id, plain, tuple(bool(c["correct"]) for c in candidates))
