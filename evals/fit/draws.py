"""Stored draws as arrays, and the policy of AC-SQL replayed over them.

A question of a calibration run has z draws: all but the last were run and judged, whatever the verdict was,
so every threshold and every smaller z can be replayed without a model.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from critiql.evals.fit.theory import Rates
from critiql.evals.run.store import StoredAnswer

Booleans = NDArray[np.bool_]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Draws:
    """What was drawn for n questions in z rounds."""

    databases: tuple[str, ...]
    """Per question."""
    correct: Booleans
    """Shape (n, z)."""
    executes: Booleans
    """Shape (n, z - 1)."""
    p_true: Floats
    """Shape (n, z - 1); NaN where a draw was not judged."""
    repeats: Booleans
    """Shape (n, z): the draw's canonical SQL was drawn before."""
    left_out: int = 0
    """Questions without z scored draws."""

    @property
    def n(self) -> int:
        """Questions."""
        return len(self.databases)

    @property
    def z(self) -> int:
        """Rounds."""
        return int(self.correct.shape[1])

    def subset(self, chosen: Sequence[int]) -> "Draws":
        """The questions at those positions."""
        names = tuple(self.databases[i] for i in chosen)
        rows = (self.correct[chosen], self.executes[chosen], self.p_true[chosen], self.repeats[chosen])
        return Draws(names, *rows)


DRAWN = ("actor", "refiner", "regeneration")
"""Origins of candidates that are draws. Repairs by rule are none; nor is an escalation, which another model
wrote, once and beyond z."""
GENERATED = (*DRAWN, "escalation")
"""Origins of candidates that a model wrote."""


def draws_of(answers: Sequence[StoredAnswer], z: int) -> Draws:
    """The first z draws of each answer.

    Raises:
        ValueError: no answer has z scored draws.
    """
    rows = [drawn(a, z) for a in answers]
    usable = [a for a, row in zip(answers, rows, strict=True) if len(row) == z]
    if not usable:
        raise ValueError(f"No answer has {z} scored draws; calibration needs a run that never accepts.")
    candidates = [row for row in rows if len(row) == z]
    judged = [row[: z - 1] for row in candidates]
    return Draws(
        databases=tuple(a.db_id for a in usable),
        correct=np.array([[bool(c["correct"]) for c in row] for row in candidates]),
        executes=np.array([[_ran(c) for c in row] for row in judged], dtype=bool).reshape(len(usable), z - 1),
        p_true=np.array([[_p_true(c) for c in row] for row in judged], dtype=float).reshape(
            len(usable), z - 1
        ),
        repeats=np.array([[c.get("repeats") is not None for c in row] for row in candidates]),
        left_out=len(answers) - len(usable),
    )


def accepted(draws: Draws, threshold: float, *, execution: bool = True, llm: bool = True) -> Booleans:
    """What the critics accept, shape (n, z - 1). The LLM critic rejects no draw that it did not read."""
    verdict = np.ones_like(draws.executes)
    if execution:
        verdict &= draws.executes
    if llm:
        verdict &= ~(draws.p_true < threshold)
    return verdict


def replay(draws: Draws, accepts: Booleans, z: int) -> Booleans:
    """Whether each answer is right: the first accepted of z draws is given, or else the z-th, unchecked."""
    early = accepts[:, : z - 1]
    first = np.where(early.any(axis=1), early.argmax(axis=1), z - 1) if z > 1 else np.zeros(draws.n, int)
    right: Booleans = draws.correct[np.arange(draws.n), first]
    return right


def rates(draws: Draws, accepts: Booleans, rounds: slice = slice(None)) -> Rates:
    """Measured p, q and s of the chosen rounds; a rate over nothing is NaN."""
    correct = draws.correct[:, :-1][:, rounds]
    accepts = accepts[:, rounds]
    return Rates(_mean(correct), _mean(accepts[~correct]), _mean(~accepts[correct]))


def reached(draws: Draws, accepts: Booleans, z: int) -> list[tuple[int, float]]:
    """Per round: questions whose earlier draws were all rejected, and the share of right draws among them."""
    waiting = np.ones(draws.n, dtype=bool)
    counts = []
    for round_ in range(z):
        counts.append((int(waiting.sum()), _mean(draws.correct[waiting, round_])))
        if round_ < z - 1:
            waiting &= ~accepts[:, round_]
    return counts


def _mean(values: Booleans) -> float:
    return float(values.mean()) if values.size else float("nan")


def drawn(answer: StoredAnswer, z: int) -> list[dict[str, Any]]:
    """At most z scored draws; where a loop ended for repeating itself, its last draw stands for the rest."""
    written = [c for c in answer.candidates if c.get("origin") in DRAWN and c.get("correct") is not None]
    if answer.correct is None:
        return []
    if written and answer.stopped == "no_progress":
        written += [{**written[-1], "repeats": written[-1]["id"]}] * z
    return written[:z]


def _ran(candidate: dict[str, Any]) -> bool:
    execution = candidate.get("execution")
    return bool(isinstance(execution, dict) and execution["ok"])


def _p_true(candidate: dict[str, Any]) -> float:
    value = candidate.get("p_true")
    return float(value) if isinstance(value, int | float) else float("nan")
