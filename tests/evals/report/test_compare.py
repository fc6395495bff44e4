from collections.abc import Callable

import pytest

from critiql.evals.report.compare import compare_answers
from critiql.evals.run.store import StoredAnswer

Make = Callable[..., StoredAnswer]


def test_only_questions_that_both_answered_count(make_stored: Make) -> None:
    first = [make_stored(i, i < 4) for i in range(10)] + [make_stored(20, True), make_stored(21, None)]
    second = [make_stored(i, i not in (0, 9)) for i in range(10)] + [make_stored(21, True)]
    found = compare_answers(first, second)
    assert (found.paired.n, found.fixed, found.broken) == (10, [4, 5, 6, 7, 8], [0])
    assert found.paired.difference.value == pytest.approx(0.4)
    # 5 against 1 of 6 fair coins, two-sided
    assert found.paired.p_value == pytest.approx(2 * 7 / 64)
    assert (found.first.value, found.second.value) == (0.4, 0.8)


def test_test_suite_accuracy_can_be_compared_instead(make_stored: Make) -> None:
    first = [make_stored(i, True, suite_correct=False) for i in range(3)] + [make_stored(5, True)]
    second = [make_stored(i, True, suite_correct=True) for i in range(3)] + [make_stored(5, True)]
    found = compare_answers(first, second, suite=True)
    assert (found.paired.n, found.fixed, found.broken) == (3, [0, 1, 2], [])


def test_runs_without_a_common_question_are_refused(make_stored: Make) -> None:
    with pytest.raises(ValueError, match="no scored question in common"):
        compare_answers([make_stored(1, True)], [make_stored(2, True)])
