import math
import random

import numpy as np
import pytest

from critiql.evals.statistics import (
    auc,
    bootstrap,
    brier,
    calibration_error,
    compare,
    group_folds,
    holm,
    mcnemar,
    mean,
    proportion,
    reliability,
    wilson,
)


def test_wilson_against_published_values():
    # Newcombe (1998), table I, method 3
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(15, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert wilson(0, 0) == (0.0, 1.0)


def test_proportion_and_mean():
    share = proportion(30, 100)
    assert (share.value, share.n) == (0.3, 100)
    assert share.standard_error == pytest.approx(math.sqrt(0.21 / 100))
    assert math.isnan(proportion(0, 0).value)
    centre = mean([1.0, 2.0, 3.0])
    assert (centre.value, centre.standard_error) == (2.0, pytest.approx(1 / math.sqrt(3)))
    assert math.isnan(mean([]).value)
    assert math.isnan(mean([1.0]).standard_error)


def test_mcnemar_is_the_binomial_test():
    assert mcnemar(0, 0) == 1.0
    assert mcnemar(1, 9) == pytest.approx(2 * 11 / 1024)
    assert mcnemar(5, 5) == 1.0


def test_paired_comparison():
    a = [True] * 50 + [False] * 50
    b = [True] * 45 + [False] * 5 + [True] * 15 + [False] * 35
    found = compare(a, b, seed=3)
    assert (found.n, found.fixed, found.broken) == (100, 15, 5)
    assert found.difference.value == pytest.approx(0.1)
    assert found.difference.standard_error == pytest.approx(math.sqrt(0.2 - 0.01) / 10, rel=0.03)
    assert found.difference.low == pytest.approx(0.1 - 1.96 * 0.0436, abs=0.011)
    assert found == compare(a, b, seed=3)
    assert found.p_value == pytest.approx(mcnemar(15, 5))
    with pytest.raises(ValueError, match="same questions"):
        compare([True], [])


def test_bootstrap_finds_the_error_of_a_mean():
    values = np.random.default_rng(0).normal(size=200)
    error, low, high = bootstrap(200, lambda i: float(values[i].mean()), seed=1, draws=3000)
    assert error == pytest.approx(values.std(ddof=1) / math.sqrt(200), rel=0.06)
    assert low < values.mean() < high
    assert all(map(math.isnan, bootstrap(3, lambda i: math.nan, draws=10)))


def test_holm():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


def test_auc_counts_pairs():
    draw = random.Random(5)
    scores = [draw.randint(0, 9) / 10 for _ in range(200)]
    truths = [draw.random() < score for score in scores]
    pairs = [
        (s, t)
        for s, w in zip(scores, truths, strict=True)
        if w
        for t, v in zip(scores, truths, strict=True)
        if not v
    ]
    expected = sum((s > t) + (s == t) / 2 for s, t in pairs) / len(pairs)
    found = auc(scores, truths)
    assert found.value == pytest.approx(expected)

    def resampled(i):
        return auc([scores[j] for j in i], [truths[j] for j in i]).value

    error, _, _ = bootstrap(200, resampled, seed=2, draws=1500)
    assert found.standard_error == pytest.approx(error, rel=0.1)
    assert math.isnan(auc([0.1, 0.2], [True, True]).value)
    assert auc([0.1, 0.9], [False, True]).value == 1.0


def test_reliability_and_scores():
    bins = reliability([0.05, 0.05, 0.95, 1.0], [False, True, True, True])
    assert [(round(b.predicted, 3), b.measured.value, b.measured.n) for b in bins] == [
        (0.05, 0.5, 2),
        (0.975, 1.0, 2),
    ]
    assert calibration_error([0.05, 0.05, 0.95, 1.0], [False, True, True, True]) == pytest.approx(0.2375)
    assert brier([0.0, 1.0, 0.5], [False, True, True]) == pytest.approx(0.25 / 3)


def test_folds_never_split_a_group():
    groups = [name for i, name in enumerate("abcdefghij") for _ in range(i + 1)]
    folds = list(group_folds(groups, 4, seed=1))
    assert sorted(i for fold in folds for i in fold.validate) == list(range(len(groups)))
    for fold in folds:
        assert not {groups[i] for i in fold.fit} & {groups[i] for i in fold.validate}
        assert len(fold.fit) + len(fold.validate) == len(groups)
        assert 7 <= len(fold.validate) <= 22
    assert folds == list(group_folds(groups, 4, seed=1))
    assert folds != list(group_folds(groups, 4, seed=2))
    with pytest.raises(ValueError, match="folds"):
        next(group_folds(groups, 11))
