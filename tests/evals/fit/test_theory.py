"""Theorem 1 against the paper's Table 6, its corollaries and the simulation."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from critiql.evals.fit.theory import Rates, accuracy, limit, simulate

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
