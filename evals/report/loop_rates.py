"""Rates of a generate-and-check loop as it ran; the accuracy of AC-SQL's Theorem 1 beside what was measured.

A candidate was accepted where the loop ended with it before round z, and rejected where another one followed;
the z-th is not checked. Theorem 1 takes draws to be independent, so the two accuracies may differ.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from critiql.agent.context import Context
from critiql.evals.fit.theory import Rates, accuracy
from critiql.evals.report.rows import Entry
from critiql.evals.run.store import StoredAnswer
from critiql.evals.statistics import Estimate, proportion

SYSTEM = "ac_sql"
"""The graph whose loop is the theorem's."""


@dataclass(frozen=True)
class LoopRates:
    """What a run of the loop shows."""

    p: Estimate
    """First generations that are right."""
    q: Estimate
    """Wrong candidates that were accepted, of those checked."""
    s: Estimate
    """Right candidates that were rejected, of those checked."""
    predicted: tuple[float, ...]
    """P_1 to P_z by Theorem 1."""
    measured: tuple[Estimate, ...]
    """Accuracy had the loop ended after 1 to z generations."""


def loop_rates(entry: Entry) -> LoopRates | None:
    """The rates of a run; None for another graph, or where nothing was checked."""
    if entry.run.spec.system.partition("@")[0] != SYSTEM:
        return None
    z = int(entry.run.spec.settings.get("z", Context().z))
    loops = [loop for answer in entry.answers if (loop := _verdicts(answer))]
    checked = [(right, at < len(loop) - 1) for loop in loops for at, right in enumerate(loop[: z - 1])]
    wrong = [rejected for right, rejected in checked if not right]
    right = [rejected for right, rejected in checked if right]
    if not wrong or not right:
        return None
    p = _share([loop[0] for loop in loops])
    q, s = _share([not rejected for rejected in wrong]), _share(right)
    rates = Rates(p.value, q.value, s.value)
    rounds = range(1, z + 1)
    return LoopRates(
        p, q, s, tuple(accuracy(rates, n) for n in rounds), tuple(_after(loops, n) for n in rounds)
    )


@dataclass(frozen=True)
class Prediction:
    """One loop, and what each form of the theorem says of it."""

    n: int
    rates: Rates
    z: int
    independent: float
    """P_z of Theorem 1."""
    dependent: float
    """P_z with the fitted dependence."""
    measured: Estimate
    gained: float
    """Measured accuracy minus that of the first query."""

    @property
    def errors(self) -> tuple[float, float]:
        """Relative error of both, as shares of what was measured."""
        found = self.measured.value
        return abs(self.independent - found) / found, abs(self.dependent - found) / found

    @property
    def sign_holds(self) -> bool | None:
        """Whether the loop gained where q + s < 1 and lost where it is above; None where nothing is said.

        Nothing is said at q + s = 1, and nothing found where accuracy did not change.
        """
        expected = 1 - self.rates.q - self.rates.s
        if not self.gained or abs(expected) < 1e-9:
            return None
        return (self.gained > 0) == (expected > 0)


def predict(loop: LoopRates, dependence: float) -> Prediction:
    """Hold both forms against a loop as it ran."""
    rates, z = Rates(loop.p.value, loop.q.value, loop.s.value), len(loop.measured)
    return Prediction(
        n=loop.p.n,
        rates=rates,
        z=z,
        independent=accuracy(rates, z),
        dependent=accuracy(rates, z, dependence),
        measured=loop.measured[-1],
        gained=loop.measured[-1].value - loop.measured[0].value,
    )


def _after(loops: Sequence[Sequence[bool]], generations: int) -> Estimate:
    """Accuracy where the loop ends after so many generations at the latest."""
    return _share([loop[:generations][-1] for loop in loops])


def _verdicts(answer: StoredAnswer) -> list[bool]:
    """Per generation whether it is right; empty where the gold query does not run."""
    written = [candidate for candidate in answer.candidates if candidate.get("origin") == "actor"]
    return [bool(candidate["correct"]) for candidate in written] if answer.correct is not None else []


def _share(flags: Sequence[bool]) -> Estimate:
    return proportion(sum(flags), len(flags))
