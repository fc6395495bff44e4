"""Platt scaling of the critic's reading."""

import random
from typing import Any

import pytest

from critiql.evals.confidence import LEAST, fit_confidence
from critiql.evals.displacement import Pool


def pools(n: int, informative: bool) -> list[Pool]:
    """One query a question; its reading is the chance of being right, halved on the logit scale, or noise."""
    draw = random.Random(1)
    made = []
    for number in range(n):
        chance = draw.uniform(0.05, 0.95)
        odds = (chance / (1 - chance)) ** 0.5
        reading = odds / (1 + odds) if informative else draw.random()
        candidate: Any = {"id": 0, "sql": "select 1", "p_true": reading, "tokens": 1, "findings": []}
        made.append(Pool(f"db{number % 20}", (candidate,), (draw.random() < chance,)))
    return made


def test_a_reading_too_cautious_is_stretched() -> None:
    found = fit_confidence(pools(2000, informative=True), None)
    assert found is not None
    assert found.slope == pytest.approx(2.0, abs=0.3)
    assert found.brier is not None
    assert found.brier_constant is not None
    assert found.brier < found.brier_constant - 0.05
    assert found.n == 2000
    assert found.of(0.5) == pytest.approx(0.5, abs=0.05)


def test_nothing_is_fitted_to_noise_or_to_too_little() -> None:
    assert fit_confidence(pools(LEAST - 1, informative=True), None) is None
    assert fit_confidence(pools(400, informative=False), None) is None
