"""The dependence of redraws, and both forms of the theorem beside a loop as it ran."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from critiql.evals.fit.dependence import fit_dependence
from critiql.evals.fit.theory import Rates, accuracy
from critiql.evals.report.loop_rates import loop_rates, predict
from critiql.evals.report.rows import Entry
from critiql.evals.run.store import Run, Store, StoredAnswer

T, F = True, False
LOOPS: Sequence[tuple[bool, ...]] = ((T,), (T, T, F), (F, F), (F, T), (F, F, F), (T,))


@pytest.fixture
def answers(make_stored: Callable[..., StoredAnswer]) -> list[StoredAnswer]:
    """Loops of two databases, each draw right or wrong."""
    return [
        replace(
            make_stored(
                index, loop[-1], candidates=[{"origin": "actor", "correct": right} for right in loop]
            ),
            db_id=f"db{index % 2}",
        )
        for index, loop in enumerate(LOOPS)
    ]


def test_every_pair_of_draws_counts(answers: list[StoredAnswer]) -> None:
    found = fit_dependence(answers)
    assert (found.p.value, found.p.n) == (0.5, 6)
    assert (found.after_wrong.value, found.after_wrong.n) == (0.25, 4)
    assert (found.after_right.value, found.after_right.n) == (0.5, 2)
    assert found.value.value == pytest.approx(0.5)


def test_what_was_never_drawn_again_says_nothing(answers: list[StoredAnswer]) -> None:
    with pytest.raises(ValueError, match="drawn again"):
        fit_dependence(answers[:1])


def test_both_forms_stand_beside_the_measure(
    answers: list[StoredAnswer], make_run: Callable[..., Run]
) -> None:
    loop = loop_rates(Entry(make_run(Store(None), "ac_sql", z=3), answers))
    assert loop is not None
    found = predict(loop, 0.5)
    rates = Rates(0.5, 1 / 5, 2 / 5)
    assert tuple(found.rates) == pytest.approx(tuple(rates))
    assert found.independent == pytest.approx(accuracy(rates, 3))
    assert found.dependent == pytest.approx(accuracy(rates, 3, 0.5))
    measured = 3 / 6
    assert found.measured.value == measured
    assert found.errors[0] == pytest.approx(abs(accuracy(rates, 3) - measured) / measured)
    assert found.sign_holds is None, "accuracy did not change"
