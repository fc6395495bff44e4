import math

import pytest

from critiql.evals.metrics.detection import Judged, detection_scores, repair_scores, type_scores

JUDGED = [
    *[Judged(True, True, correct_after=True)] * 6,
    *[Judged(True, True, correct_after=False)] * 2,
    *[Judged(True, False)] * 2,
    *[Judged(False, True, correct_after=True)] * 3,
    Judged(False, True, correct_after=False),
    *[Judged(False, False)] * 6,
]
"""8 hits of which 6 are fixed, 2 missed, 4 false alarms of which 1 breaks the query, 6 silent; 20 in all."""


def test_detection_by_hand():
    scores = detection_scores(JUDGED)
    assert (scores.true_positives, scores.false_positives) == (8, 4)
    assert (scores.true_negatives, scores.false_negatives) == (6, 2)
    assert scores.accuracy.value == pytest.approx(14 / 20)
    assert scores.precision.value == pytest.approx(8 / 12)
    assert scores.recall.value == pytest.approx(8 / 10)
    assert scores.f1.value == pytest.approx(16 / 22)
    assert scores.right_precision.value == pytest.approx(6 / 8)
    assert scores.right_recall.value == pytest.approx(6 / 10)
    assert scores.f1.low < scores.f1.value < scores.f1.high
    assert 0.05 < scores.f1.standard_error < 0.2


def test_repair_by_hand():
    scores = repair_scores(JUDGED)
    assert scores.fixed_rate.value == pytest.approx(6 / 8)
    assert scores.corruption_rate.value == pytest.approx(1 / 4)
    assert scores.execution_gain.value == pytest.approx((6 - 1) / 20)


def test_unrepaired_items_keep_their_label():
    scores = repair_scores([Judged(True, True), Judged(False, True)])
    assert (scores.fixed_rate.value, scores.corruption_rate.value) == (0, 0)


def test_types_by_hand():
    value, join = frozenset({"value"}), frozenset({"join"})
    judged = [
        Judged(True, True, value, value),
        Judged(True, True, value, value | join),
        Judged(True, True, value | join, join),
        Judged(True, False, join),
        Judged(False, True, frozenset(), value),
    ]
    scores = type_scores(judged)
    assert {name: (round(e.value, 3), e.n) for name, e in scores.by_type.items()} == {
        "join": (0.5, 2),
        "value": (0.667, 3),
    }
    assert scores.any_label.value == pytest.approx(3 / 5)
    assert scores.exact_set.value == pytest.approx(1 / 4)


def test_nothing_judged_is_no_number():
    assert math.isnan(detection_scores([]).f1.value)
    assert math.isnan(repair_scores([]).execution_gain.value)
    assert detection_scores([]).accuracy.n == 0
