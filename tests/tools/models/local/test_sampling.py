import math
from collections import Counter
from typing import Any

import numpy as np
import pytest

from critiql.tools.models.local.sampling import Sampler, log_normaliser
from critiql.tools.models.model import Sampling

NO_WEIGHTS: Any = None  # without a grammar the weights are not looked at


def drawn(sampling: Sampling, probabilities: list[float], times: int) -> Counter[int]:
    sampler = Sampler(NO_WEIGHTS, sampling)
    logits = np.log(np.array(probabilities, np.float32))
    return Counter(sampler.draw(logits) for _ in range(times))


def test_greedy_takes_the_likeliest_always() -> None:
    assert drawn(Sampling(), [0.3, 0.5, 0.2], 20) == {1: 20}


def test_the_same_seed_draws_the_same() -> None:
    logits = np.zeros(1000, np.float32)
    one, same, other = (Sampler(NO_WEIGHTS, Sampling(temperature=1, seed=seed)) for seed in (7, 7, 8))
    first = [one.draw(logits) for _ in range(10)]
    assert first == [same.draw(logits) for _ in range(10)]
    assert first != [other.draw(logits) for _ in range(10)]


def test_frequencies_follow_the_probabilities() -> None:
    counts = drawn(Sampling(temperature=1, top_p=1, seed=1), [0.1, 0.2, 0.7], 5000)
    for token, probability in enumerate([0.1, 0.2, 0.7]):
        spread = math.sqrt(probability * (1 - probability) / 5000)
        assert counts[token] / 5000 == pytest.approx(probability, abs=4 * spread)


@pytest.mark.parametrize(("top_p", "kept"), [(0.5, {0}), (0.6, {0, 1}), (0.85, {0, 1}), (0.95, {0, 1, 2})])
def test_the_nucleus_is_the_fewest_tokens_that_hold_top_p(top_p: float, kept: set[int]) -> None:
    counts = drawn(Sampling(temperature=1, top_p=top_p, seed=2), [0.55, 0.3, 0.1, 0.05], 2000)
    assert set(counts) == kept


def test_a_low_temperature_sharpens() -> None:
    warm = drawn(Sampling(temperature=1, top_p=1), [0.6, 0.4], 2000)[0]
    cold = drawn(Sampling(temperature=0.25, top_p=1), [0.6, 0.4], 2000)[0]
    assert cold > warm + 100


def test_log_normaliser_turns_logits_into_log_probabilities() -> None:
    logits = np.array([1000.0, 1000.0, -np.inf], np.float32)
    assert log_normaliser(logits) == pytest.approx(1000 + math.log(2))
