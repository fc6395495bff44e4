"""AC-SQL's theory: what an actor and critics of known error rates reach in z rounds (Theorem 1).

p is the probability that a generated query is right, q that the critic accepts a wrong one, s that it
rejects a right one. (The paper calls q a false negative rate, s a false positive rate.)

The theorem takes draws to be independent. A small model asked again repeats itself; so there is a second
form with one more parameter, the dependence d: a redraw is as right as the draw before it with probability
d, and otherwise a fresh draw. After a wrong draw it is then right with probability w = (1 - d) p, after a
right one with d + w, and each draw taken by itself is still right with p. d = 0 is Theorem 1. Of two rounds
the gain is (1 - p) w (1 - q - s): dependence makes a gain or a loss smaller and keeps its sign.
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


TABLE_6 = tuple(Rates(p, q, s) for p in (0.25, 0.75) for q in (0.25, 0.75) for s in (0.25, 0.75))
"""The paper's eight settings."""


def accuracy(rates: Rates, z: int, dependence: float = 0.0) -> float:
    """Probability that the answer is right after at most z generations, the last one unchecked.

    Args:
        rates: of actor and critic.
        z: generations at most.
        dependence: d, from 0 (Theorem 1) to 1 (a redraw changes nothing).

    Raises:
        ValueError: z is below 1.
    """
    if z < 1:
        msg = f"z counts generations and must be at least 1, not {z}"
        raise ValueError(msg)
    p, q, s = rates
    after_wrong, after_right = redraw_right(p, dependence)
    right, wrong, accepted = p, 1 - p, 0.0
    for _ in range(z - 1):
        accepted += right * (1 - s)
        right, wrong = right * s, wrong * (1 - q)
        again = right * after_right + wrong * after_wrong
        right, wrong = again, right + wrong - again
    return accepted + right


def redraw_right(p: float, dependence: float) -> tuple[float, float]:
    """Probability that a redraw is right after a wrong draw, and after a right one."""
    after_wrong = (1 - dependence) * p
    return after_wrong, dependence + after_wrong


def limit(rates: Rates, dependence: float = 0.0) -> float:
    """Accuracy for z without bound, p(1-s)/(1-r) of independent draws; p where everything is rejected."""
    p, q, s = rates
    after_wrong, after_right = redraw_right(p, dependence)
    on = np.array([[after_right, 1 - after_right], [after_wrong, 1 - after_wrong]]) * [[s], [1 - q]]
    if rates.rejection >= 1 or np.linalg.matrix_rank(np.eye(2) - on) < 2:
        return p
    ends = np.linalg.solve(np.eye(2) - on, np.array([1 - s, 0.0]))
    return float(np.array([p, 1 - p]) @ ends)


def simulate(rates: Rates, z: int, runs: int = 1_000_000, seed: int = 0, dependence: float = 0.0) -> float:
    """Share of right answers in simulated loops (Appendix D), the z-th generation not checked."""
    generator = np.random.default_rng(seed)
    pending = np.ones(runs, dtype=bool)
    right = np.zeros(runs, dtype=bool)
    correct = generator.random(runs) < rates.p
    for generation in range(z):
        if generation:
            fresh = generator.random(runs) >= dependence
            correct = np.where(fresh, generator.random(runs) < rates.p, correct)
        accepted = generator.random(runs) < np.where(correct, 1 - rates.s, rates.q)
        done = pending & (accepted | (generation == z - 1))
        right |= done & correct
        pending &= ~done
    return float(right.mean())
