import random
from collections.abc import Callable
from typing import Any

import pytest

from critiql.evals.fit.displacement import Pool, fit_displacement, pools_of
from critiql.evals.run.store import StoredAnswer


def candidate(identifier: int, rows: str, p_true: float, **execution: Any) -> dict[str, Any]:
    ran = {"ok": True, "rows_fingerprint": rows, "row_count": 1, "null_columns": 0} | execution
    return {
        "id": identifier,
        "sql": f"select {identifier}",
        "p_true": p_true,
        "logprob": -1.0,
        "tokens": 10,
        "findings": [],
        "execution": ran,
    }


def pools(n: int, informative: bool) -> list[Pool]:
    """Two candidates a question, one of them right; the critic knows which, or nothing."""
    draw = random.Random(0)
    made = []
    for number in range(n):
        first = draw.random() < 0.6
        reading = [0.7, 0.4] if first else [0.4, 0.7]
        shown = [r + draw.gauss(0, 0.1) for r in reading] if informative else [draw.random(), draw.random()]
        made.append(
            Pool(
                f"db{number % 12}",
                tuple(candidate(i, f"rows{i}", min(max(shown[i], 0.01), 0.99)) for i in range(2)),  # type: ignore[arg-type]
                (first, not first),
            )
        )
    return made


def test_a_critic_that_knows_gets_weight_and_fixes_on_held_out_databases() -> None:
    found = fit_displacement(pools(200, informative=True))
    assert found.fitted is not None
    assert found.held_out is not None
    assert found.fitted.weights["p_true"] > 0.5
    assert found.held_out.difference.low > 0.2
    assert found.fitted.fixed == found.held_out.fixed > 5 * found.fitted.broken
    assert (found.first, found.any_right) == (pytest.approx(0.6, abs=0.06), 1.0)


def test_a_critic_that_knows_nothing_hardly_displaces() -> None:
    found = fit_displacement(pools(200, informative=False))
    assert found.held_out is not None
    assert found.held_out.fixed + found.held_out.broken < 30
    assert found.unfitted.fixed == found.unfitted.broken == 0


def test_too_few_discordant_pairs_are_not_fitted() -> None:
    found = fit_displacement(pools(15, informative=True))
    assert (found.fitted, found.held_out) == (None, None)


def test_a_failing_incumbent_is_displaced_without_a_score() -> None:
    broken = candidate(0, "", 0.0, ok=False, rows_fingerprint=None)
    pool = Pool("db", (broken, candidate(1, "rows", 0.1)), (False, True))  # type: ignore[arg-type]
    assert pool.settled(None)


def test_answers_that_cannot_be_scored_are_left_out(make_stored: Callable[..., StoredAnswer]) -> None:
    one = candidate(0, "rows", 0.5)
    answers = [
        make_stored(1, True, candidates=[one | {"correct": True}]),
        make_stored(2, None, candidates=[one | {"correct": None}]),
        make_stored(3, False, candidates=[]),
    ]
    assert [pool.right for pool in pools_of(answers)] == [(True,)]
