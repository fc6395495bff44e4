"""Theorem 1 against the paper's Table 6, its corollaries and the simulation."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from critiql.evals.fit.theory import TABLE_6 as SETTINGS
from critiql.evals.fit.theory import Rates, accuracy, limit, redraw_right, simulate

TABLE_6 = [
    json.loads(line)
    for line in (Path(__file__).parents[2] / "fixtures/agent/ac_sql_table_6.jsonl").read_text().splitlines()
]
PROBABILITY = st.floats(0, 1)


@pytest.mark.parametrize("row", TABLE_6, ids=lambda row: str(row["rates"]))
def test_table_6(row: dict) -> None:
    reached = [accuracy(Rates(*row["rates"]), z) for z in range(1, 6)]
    assert reached == pytest.approx(row["p_z"], abs=5.1e-6)


@pytest.mark.parametrize("row", TABLE_6, ids=lambda row: str(row["rates"]))
def test_simulation_agrees(row: dict) -> None:
    simulated = simulate(Rates(*row["rates"]), z=3, runs=200_000, seed=1)
    assert simulated == pytest.approx(row["p_z"][2], abs=4e-3)


@given(PROBABILITY, PROBABILITY, PROBABILITY, st.integers(2, 12))
def test_gain_condition(p: float, q: float, s: float, z: int) -> None:
    gain = accuracy(Rates(p, q, s), z) - p
    if q + s <= 1:
        assert gain >= -1e-9
    else:
        assert gain <= 1e-9


@given(PROBABILITY, PROBABILITY, PROBABILITY)
def test_limit_is_approached(p: float, q: float, s: float) -> None:
    rates = Rates(p, q, s)
    if rates.rejection < 0.9:
        assert accuracy(rates, 400) == pytest.approx(limit(rates), abs=1e-9)


def test_extremes() -> None:
    assert limit(Rates(0.3, 0.0, 0.4)) == pytest.approx(1.0)
    assert accuracy(Rates(0.3, 1.0, 0.0), 5) == pytest.approx(0.3)
    assert accuracy(Rates(0.3, 0.2, 1.0), 5) < 0.3
    assert accuracy(Rates(1.0, 0.5, 0.5), 5) == pytest.approx(1.0)
    with pytest.raises(ValueError, match="at least 1"):
        accuracy(Rates(0.5, 0.5, 0.5), 0)


@pytest.mark.parametrize("rates", SETTINGS, ids=str)
@pytest.mark.parametrize("dependence", [0.3, 0.9])
def test_dependent_loops_are_simulated_as_predicted(rates: Rates, dependence: float) -> None:
    simulated = simulate(rates, 4, runs=200_000, seed=2, dependence=dependence)
    assert simulated == pytest.approx(accuracy(rates, 4, dependence), abs=4e-3)


@given(PROBABILITY, PROBABILITY, PROBABILITY, PROBABILITY, st.integers(2, 8))
def test_dependence_keeps_the_sign_and_never_adds_to_the_change(
    p: float, q: float, s: float, dependence: float, z: int
) -> None:
    independent, dependent = (accuracy(Rates(p, q, s), z, d) - p for d in (0.0, dependence))
    assert dependent >= -1e-9 if q + s <= 1 else dependent <= 1e-9
    if z == 2:
        assert dependent == pytest.approx((1 - dependence) * independent, abs=1e-9)


@given(PROBABILITY, PROBABILITY, PROBABILITY)
def test_full_dependence_changes_nothing(p: float, q: float, s: float) -> None:
    assert accuracy(Rates(p, q, s), 5, 1.0) == pytest.approx(p, abs=1e-9)
    assert redraw_right(p, 1.0) == (0.0, 1.0)


@given(PROBABILITY, PROBABILITY, PROBABILITY, st.floats(0, 0.8))
def test_dependent_limit_is_approached(p: float, q: float, s: float, dependence: float) -> None:
    rates = Rates(p, q, s)
    if max(s, 1 - q) < 0.9:
        assert accuracy(rates, 400, dependence) == pytest.approx(limit(rates, dependence), abs=1e-6)
