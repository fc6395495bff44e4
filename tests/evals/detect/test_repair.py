"""The repair table of two runs."""

from collections.abc import Callable

import pytest

from critiql.evals.detect.repair import repair_report
from critiql.evals.run.store import StoredAnswer

FINDING = [{"type": "value_error"}]


def test_fixed_corrupted_and_left_alone(make_stored: Callable[..., StoredAnswer]) -> None:
    def pair(index: int, was: bool, now: bool, *, flagged: bool) -> tuple[StoredAnswer, StoredAnswer]:
        first = {"id": 0, "sql": "SELECT 1", "correct": was, "findings": FINDING if flagged else []}
        second = {"id": 1, "sql": "SELECT 2", "correct": now}
        usage = {
            role: {"calls": 1, "prompt": 10, "cached": 4, "generated": 2} for role in ("actor", "refiner")
        }
        before = make_stored(index, was, sql="SELECT 1", candidates=[first])
        pool = [first, second] if flagged else [first]
        after = make_stored(index, now, sql=pool[-1]["sql"], candidates=pool, usage=usage)
        return before, after

    pairs = [
        pair(0, False, True, flagged=True),
        pair(1, False, False, flagged=True),
        pair(2, True, False, flagged=True),
        pair(3, True, True, flagged=False),
    ]
    found = repair_report([a for a, _ in pairs], [b for _, b in pairs])
    assert (found.n, found.same_first, found.true_positives, found.false_positives) == (4, 4, 2, 1)
    assert (found.scores.fixed_rate.value, found.scores.corruption_rate.value) == (0.5, 1.0)
    assert found.scores.execution_gain.value == 0.0
    assert (found.before.value, found.after.value) == (0.5, 0.5)
    assert found.tokens["after"]["refiner"] == {"prompt": 10, "cached": 4, "generated": 2}
    assert list(found.tokens["before"]) == ["actor"]


def test_runs_without_a_common_question_are_refused(make_stored: Callable[..., StoredAnswer]) -> None:
    with pytest.raises(ValueError, match="no scored question in common"):
        repair_report([make_stored(0, True)], [make_stored(1, True)])
