"""Statistics of an evaluation: every number with its error, every comparison paired, every draw seeded."""

import math
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Floats = NDArray[np.float64]

DRAWS = 10_000
"""Bootstrap resamples."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number, what it rests on, and its error."""

    value: float
    """NaN where n is 0."""
    n: int
    standard_error: float
    low: float
    """Lower end of the 95 % interval."""
    high: float


class Fold(NamedTuple):
    """Positions of the items to fit on and to validate on."""

    fit: list[int]
    validate: list[int]


class Bin(NamedTuple):
    """One bar of a reliability diagram."""

    predicted: float
    """Mean predicted probability."""
    measured: Estimate
    """Share that was true."""


@dataclass(frozen=True, slots=True)
class Paired:
    """System B against system A on the same questions."""

    n: int
    difference: Estimate
    """Accuracy of B minus accuracy of A."""
    fixed: int
    """Wrong in A, right in B."""
    broken: int
    """Right in A, wrong in B."""
    p_value: float
    """McNemar's exact test, two-sided."""


def wilson(successes: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval of a proportion (Wilson 1927); (0, 1) for n = 0.

    Raises:
        ValueError: successes outside 0..n.

    >>> [round(100 * bound) for bound in wilson(15, 35)]
    [28, 59]
    """
    if n == 0:
        return 0.0, 1.0
    interval = stats.binomtest(successes, n).proportion_ci(confidence, method="wilson")
    return float(interval.low), float(interval.high)


def proportion(successes: int, n: int) -> Estimate:
    """A share with its binomial standard error and its Wilson interval."""
    if n == 0:
        return Estimate(math.nan, 0, math.nan, 0.0, 1.0)
    share = successes / n
    return Estimate(share, n, math.sqrt(share * (1 - share) / n), *wilson(successes, n))


def mean(values: Sequence[float]) -> Estimate:
    """A mean with its standard error and the normal interval; the error is NaN below two values."""
    n = len(values)
    if n == 0:
        return Estimate(math.nan, 0, math.nan, math.nan, math.nan)
    centre = float(np.mean(values))
    error = float(stats.sem(values)) if n > 1 else math.nan
    half = 1.959964 * error
    return Estimate(centre, n, error, centre - half, centre + half)


def bootstrap(
    size: int, statistic: Callable[[NDArray[np.intp]], float], seed: int = 0, draws: int = DRAWS
) -> tuple[float, float, float]:
    """Percentile bootstrap over items (Efron 1979).

    Args:
        size: number of items.
        statistic: number of a resample, given as positions of shape (size,).
        seed: names the draws.
        draws: resamples.

    Returns:
        Standard error, and the ends of the 95 % interval; resamples with a NaN do not count.
    """
    generator = np.random.default_rng(seed)
    found = np.array([statistic(generator.integers(0, size, size)) for _ in range(draws)])
    found = found[~np.isnan(found)]
    if found.size < 2:
        return math.nan, math.nan, math.nan
    low, high = np.quantile(found, [0.025, 0.975])
    return float(found.std(ddof=1)), float(low), float(high)


def mcnemar(fixed: int, broken: int) -> float:
    """McNemar's exact test (1947): the two-sided binomial p-value of the discordant pairs; 1 without any.

    >>> round(mcnemar(fixed=6, broken=0), 3), mcnemar(fixed=8, broken=8)
    (0.031, 1.0)
    """
    if fixed + broken == 0:
        return 1.0
    return float(stats.binomtest(fixed, fixed + broken, 0.5).pvalue)


def compare(a: Sequence[bool], b: Sequence[bool], seed: int = 0, draws: int = DRAWS) -> Paired:
    """Compare two systems on the same questions, in the same order.

    Raises:
        ValueError: the two differ in length, or are empty.
    """
    if len(a) != len(b) or not a:
        raise ValueError(f"A paired comparison needs the same questions: {len(a)} and {len(b)} verdicts.")
    change = np.asarray(b, dtype=np.int8) - np.asarray(a, dtype=np.int8)
    fixed, broken, n = int((change == 1).sum()), int((change == -1).sum()), len(a)
    # resampling n items is a multinomial draw over fixed, broken and unchanged
    counts = np.random.default_rng(seed).multinomial(
        n, np.array([fixed, broken, n - fixed - broken]) / n, draws
    )
    drawn = (counts[:, 0] - counts[:, 1]) / n
    low, high = np.quantile(drawn, [0.025, 0.975])
    difference = Estimate((fixed - broken) / n, n, float(drawn.std(ddof=1)), float(low), float(high))
    return Paired(n, difference, fixed, broken, mcnemar(fixed, broken))


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down correction (1979): adjusted p-values in the order given."""
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for rank, i in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[i]))
        adjusted[i] = largest
    return adjusted


def auc(scores: Sequence[float], truths: Sequence[bool]) -> Estimate:
    """Area under the ROC curve with DeLong's variance (1988); ties count half. NaN when one class is missing.

    The interval is normal, cut to 0..1.
    """
    values, truth = np.asarray(scores, dtype=np.float64), np.asarray(truths, dtype=np.bool_)
    positive, negative = values[truth], values[~truth]
    if not positive.size or not negative.size:
        return Estimate(math.nan, len(values), math.nan, math.nan, math.nan)
    above = _mean_rank(negative, positive)
    below = 1 - _mean_rank(positive, negative)
    area = float(above.mean())
    error = math.sqrt(_variance(above) / positive.size + _variance(below) / negative.size)
    half = 1.959964 * error
    return Estimate(area, len(values), error, max(0.0, area - half), min(1.0, area + half))


def _mean_rank(others: Floats, values: Floats) -> Floats:
    """For each value the share of others below it, ties half. Shapes (m,), (n,) to (n,)."""
    ordered = np.sort(others)
    sides = np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right")
    return np.asarray(sides / (2 * others.size), dtype=np.float64)


def _variance(values: Floats) -> float:
    return float(values.var(ddof=1)) if values.size > 1 else 0.0


def reliability(probabilities: Sequence[float], truths: Sequence[bool], bins: int = 10) -> list[Bin]:
    """Bins of equal width over 0..1 that hold something; 1.0 falls into the last."""
    places = [min(int(p * bins), bins - 1) for p in probabilities]
    found: list[Bin] = []
    for place in sorted(set(places)):
        inside = [i for i, where in enumerate(places) if where == place]
        predicted = float(np.mean([probabilities[i] for i in inside]))
        found.append(Bin(predicted, proportion(sum(truths[i] for i in inside), len(inside))))
    return found


def calibration_error(probabilities: Sequence[float], truths: Sequence[bool], bins: int = 10) -> float:
    """Expected calibration error (Naeini et al. 2015): mean gap of the bins, weighted by their size."""
    parts = reliability(probabilities, truths, bins)
    return sum(part.measured.n * abs(part.predicted - part.measured.value) for part in parts) / len(truths)


def brier(probabilities: Sequence[float], truths: Sequence[bool]) -> float:
    """Brier's score (1950): mean squared distance of probability and truth; 0 is best."""
    return float(np.mean((np.asarray(probabilities) - np.asarray(truths, dtype=np.float64)) ** 2))


def group_folds(groups: Sequence[Hashable], folds: int = 5, seed: int = 0) -> Iterator[Fold]:
    """Folds in which no group is on both sides; groups are dealt in a seeded order to the smallest fold.

    Raises:
        ValueError: fewer groups than folds, or fewer than two folds.
    """
    names = sorted(set(groups), key=str)
    if not 2 <= folds <= len(names):
        raise ValueError(
            f"{folds} folds need at least 2 folds and {folds} groups; there are {len(names)} groups."
        )
    order = [names[i] for i in np.random.default_rng(seed).permutation(len(names))]
    size = {name: sum(group == name for group in groups) for name in names}
    load = [0] * folds
    home: dict[Hashable, int] = {}
    for name in order:
        home[name] = load.index(min(load))
        load[home[name]] += size[name]
    for fold in range(folds):
        held = [i for i, group in enumerate(groups) if home[group] == fold]
        yield Fold([i for i in range(len(groups)) if home[groups[i]] != fold], held)
