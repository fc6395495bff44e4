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


def _after(loops: Sequence[Sequence[bool]], generations: int) -> Estimate:
    """Accuracy where the loop ends after so many generations at the latest."""
    return _share([loop[:generations][-1] for loop in loops])


def _verdicts(answer: StoredAnswer) -> list[bool]:
    """Per generation whether it is right; empty where the gold query does not run."""
    written = [candidate for candidate in answer.candidates if candidate.get("origin") == "actor"]
    return [bool(candidate["correct"]) for candidate in written] if answer.correct is not None else []


def _share(flags: Sequence[bool]) -> Estimate:
    return proportion(sum(flags), len(flags))
