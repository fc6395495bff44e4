import numpy as np
import pytest

from critiql.evals.fit.critic import best_threshold, fit
from critiql.evals.fit.draws import Draws
from critiql.evals.fit.theory import Rates, accuracy

Z = 5


def simulated(n: int, seed: int, *, separation: float, p: float = 0.6, databases: int = 40) -> Draws:
    """Independent draws that all execute; readings of right and wrong draws lie `separation` apart."""
    generator = np.random.default_rng(seed)
    correct = generator.random((n, Z)) < p
    logits = generator.normal(size=(n, Z - 1)) + separation * (correct[:, :-1] - 0.5)
    return Draws(
        databases=tuple(f"db{i % databases}" for i in range(n)),
        correct=correct,
        executes=np.ones((n, Z - 1), dtype=bool),
        p_true=1 / (1 + np.exp(-logits)),
        repeats=np.zeros((n, Z), dtype=bool),
    )


def test_a_critic_that_separates_is_switched_on_and_gains() -> None:
    found = fit(simulated(2000, 0, separation=2.5), Z)
    assert found.enabled
    assert found.q_plus_s.high < 0.6
    assert found.auc.low > 0.93
    assert found.accuracy_with.low > found.accuracy_first.high


def test_independent_draws_do_as_theorem_1_predicts() -> None:
    found = fit(simulated(4000, 1, separation=2.0), Z)
    for row in found.rounds:
        assert row.predicted == pytest.approx(row.measured, abs=0.02)
    assert found.retry_right_after_wrong == pytest.approx(found.retry_right_after_right, abs=0.02)
    last = found.rounds[-1]
    rates = Rates(
        found.accuracy_first.value, *(np.mean([getattr(r, k) for r in found.rounds[:-1]]) for k in "qs")
    )
    assert accuracy(rates, Z) == pytest.approx(last.predicted, abs=0.01)


@pytest.mark.parametrize("separation", [0.0, -2.0])
def test_a_critic_that_knows_nothing_or_the_contrary_is_off(separation: float) -> None:
    found = fit(simulated(500, 2, separation=separation), Z)
    assert not found.enabled
    assert found.q_plus_s.high >= 1


def test_dependent_draws_are_off_the_prediction() -> None:
    draws = simulated(2000, 3, separation=2.0)
    same = Draws(
        draws.databases,
        np.repeat(draws.correct[:, :1], Z, axis=1),
        draws.executes,
        draws.p_true,
        draws.repeats,
    )
    found = fit(same, Z)
    assert found.rounds[-1].measured == found.rounds[0].measured
    assert (found.retry_right_after_wrong, found.retry_right_after_right) == (0.0, 1.0)


def test_the_threshold_is_where_measured_accuracy_is_best() -> None:
    draws = simulated(3000, 4, separation=3.0)
    assert 0.3 < best_threshold(draws, Z) < 0.8


def test_too_few_databases_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 5 databases"):
        fit(simulated(50, 5, separation=1.0, databases=3), Z)
