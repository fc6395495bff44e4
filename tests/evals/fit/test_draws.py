from collections.abc import Callable

import numpy as np
import pytest

from critiql.evals.fit.draws import Draws, accepted, draws_of, rates, reached, replay
from critiql.evals.run.store import StoredAnswer

T, F = True, False
NAN = float("nan")

DRAWS = Draws(
    databases=("a", "a", "b"),
    correct=np.array([[F, T, F], [T, F, F], [F, F, T]]),
    executes=np.array([[T, T], [T, T], [F, T]]),
    p_true=np.array([[0.3, 0.8], [0.6, 0.9], [NAN, 0.2]]),
    repeats=np.array([[F, F, T], [F, F, F], [F, T, F]]),
)


@pytest.mark.parametrize(
    ("threshold", "z", "right"),
    [
        (0.5, 1, [F, T, F]),
        (0.5, 2, [T, T, F]),
        (0.5, 3, [T, T, T]),
        (0.7, 3, [T, F, T]),
        (0.0, 3, [F, T, F]),
        (1.0, 3, [F, F, T]),
    ],
)
def test_the_first_accepted_draw_is_the_answer_and_the_last_one_goes_unchecked(
    threshold: float, z: int, right: list[bool]
) -> None:
    assert replay(DRAWS, accepted(DRAWS, threshold), z).tolist() == right


def test_a_draw_that_fails_is_rejected_and_one_without_reading_only_by_the_execution_critic() -> None:
    assert accepted(DRAWS, 0.5).tolist() == [[F, T], [T, T], [F, F]]
    assert accepted(DRAWS, 0.5, execution=False).tolist() == [[F, T], [T, T], [T, F]]
    assert accepted(DRAWS, 0.5, llm=False).tolist() == [[T, T], [T, T], [F, T]]


def test_rates_of_both_critics() -> None:
    p, q, s = rates(DRAWS, accepted(DRAWS, 0.5))
    assert (p, q, s) == (2 / 6, 1 / 4, 0.0)


def test_who_reaches_a_round() -> None:
    assert reached(DRAWS, accepted(DRAWS, 0.5), 3) == [(3, 1 / 3), (2, 0.5), (1, 1.0)]


def test_answers_with_too_few_scored_draws_are_left_out(make_stored: Callable[..., StoredAnswer]) -> None:
    ran = {
        "id": 0,
        "origin": "actor",
        "execution": {"ok": True},
        "p_true": 0.5,
        "correct": True,
        "repeats": None,
    }
    whole = make_stored(1, True, candidates=[ran, ran | {"correct": False, "repeats": 0}, ran])
    short = make_stored(2, True, candidates=[ran])
    draws = draws_of([whole, short], 3)
    assert (draws.n, draws.z, draws.left_out) == (1, 3, 1)
    assert draws.correct.tolist() == [[T, F, T]]
    assert draws.repeats.tolist() == [[F, T, F]]
    with pytest.raises(ValueError, match="4 scored draws"):
        draws_of([whole, short], 4)


def test_a_loop_that_repeated_itself_would_have_gone_on_repeating(
    make_stored: Callable[..., StoredAnswer],
) -> None:
    first = {"id": 0, "origin": "actor", "execution": {"ok": True}, "p_true": 0.5, "correct": False}
    mended = {"id": 1, "origin": "repair", "execution": {"ok": True}, "p_true": 0.9, "correct": True}
    again = first | {"id": 2, "repeats": 0}
    draws = draws_of([make_stored(1, True, candidates=[first, mended, again], stopped="no_progress")], 4)
    assert draws.correct.tolist() == [[F, F, F, F]]
    assert draws.repeats.tolist() == [[F, T, T, T]]


def test_an_escalation_is_no_draw_of_the_loop(make_stored: Callable[..., StoredAnswer]) -> None:
    drawn = {"id": 0, "origin": "actor", "execution": {"ok": True}, "p_true": 0.5, "correct": False}
    escalated = drawn | {"id": 1, "origin": "escalation", "correct": True}
    draws = draws_of([make_stored(1, True, candidates=[drawn, escalated, drawn])], 2)
    assert draws.correct.tolist() == [[F, F]]
