"""AC-SQL's theory: what an actor and critics of known error rates reach in z rounds (Theorem 1).

p is the probability that a generated query is right, q that the critic accepts a wrong one, s that it
rejects a right one. (The paper calls q a false negative rate, s a false positive rate.)
"""

from typing import NamedTuple

import numpy as np


class Rates(NamedTuple):
    """Error rates of an actor and its critic, all in [0, 1]."""

    p: float
    q: float
    s: float

    @property
    def rejection(self) -> float:
        """Probability r that a generation is rejected: p*s + (1-p)*(1-q)."""
        return self.p * self.s + (1 - self.p) * (1 - self.q)

    @property
    def gains(self) -> bool:
        """Whether a loop of two or more rounds is better than one generation (corollary 1): q + s < 1."""
        return self.q + self.s < 1 and 0 < self.p < 1


def accuracy(rates: Rates, z: int) -> float:
    """Probability that the answer is right after at most z generations, the last one unchecked (Theorem 1).

    Raises:
        ValueError: z is below 1.
    """
    if z < 1:
        msg = f"z counts generations and must be at least 1, not {z}"
        raise ValueError(msg)
    accepted = rates.p * (1 - rates.s) * sum(rates.rejection**i for i in range(z - 1))
    return accepted + rates.rejection ** (z - 1) * rates.p


def limit(rates: Rates) -> float:
    """Accuracy for z without bound: p(1-s)/(1-r); p itself where the critic rejects everything."""
    if rates.rejection >= 1:
        return rates.p
    return rates.p * (1 - rates.s) / (1 - rates.rejection)


def simulate(rates: Rates, z: int, runs: int = 1_000_000, seed: int = 0) -> float:
    """Share of right answers in simulated loops (Appendix D) of independent draws, the z-th not checked."""
    generator = np.random.default_rng(seed)
    pending = np.ones(runs, dtype=bool)
    right = np.zeros(runs, dtype=bool)
    for generation in range(z):
        correct = generator.random(runs) < rates.p
        accepted = generator.random(runs) < np.where(correct, 1 - rates.s, rates.q)
        done = pending & (accepted | (generation == z - 1))
        right |= done & correct
        pending &= ~done
    return float(right.mean())
