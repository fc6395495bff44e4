"""What further queries supply: how often each way of writing one is right where the first query is wrong.

A question whose first query is wrong can only be won by another candidate, so each way is counted on the
questions that the baseline misses. Pass@2 of a way is the baseline's accuracy plus what the way wins.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlglot import exp

from critiql.evals.data.item import Item
from critiql.evals.report.rows import Entry
from critiql.evals.run.store import StoredAnswer
from critiql.evals.statistics import Estimate, proportion
from critiql.tools.sql.parse import Parsed, parse

ROLES = {"refiner": "refiner", "regeneration": "action_assistant", "escalation": "escalation", "repair": None}
"""Role whose model writes a candidate of an origin; the actor where not listed, None for code."""


@dataclass(frozen=True)
class Way:
    """One way of writing a further query."""

    label: str
    """System and its settings."""
    how: str
    """Which draw of the actor, or the origin of the candidate."""
    asked: int
    """Missed questions for which such a candidate was written."""
    right: Estimate
    """Of these, the share with a right one."""
    repeated: Estimate
    """Share of these candidates whose SQL was there before."""
    tokens: float
    """Tokens computed for one candidate: prompt tokens not found in a prefix state, and generated ones."""

    def points(self, questions: int) -> float:
        """Points of pass@2 that it adds, of so many questions in the sample."""
        return 100 * self.right.value * self.asked / questions

    @property
    def won_per_thousand(self) -> float | None:
        """Missed questions won for 1,000 tokens; None for code, which costs none."""
        return 1000 * self.right.value / self.tokens if self.tokens else None


@dataclass
class _Count:
    """Candidates of one way, by question."""

    origin: str = ""
    right: dict[int, bool] = field(default_factory=dict)
    repeats: list[bool] = field(default_factory=list)

    def add(self, index: int, candidate: Mapping[str, Any], first: str) -> None:
        self.origin = candidate["origin"]
        self.right[index] = self.right.get(index, False) or bool(candidate.get("correct"))
        self.repeats.append(candidate.get("repeats") is not None or candidate["sql"] == first)


def ways(baseline: Sequence[StoredAnswer], entries: Sequence[Entry]) -> list[Way]:
    """Every way that the runs show, run by run; a run's first query is left out where it is the baseline's.

    Args:
        baseline: answers of the system whose misses are to be won.
        entries: runs on (some of) the same questions.
    """
    missed = {answer.index: answer.sql for answer in baseline if answer.correct is False}
    return [way for entry in entries for way in _ways(entry, missed)]


def nested_alone(answers: Sequence[StoredAnswer], items: Sequence[Item]) -> list[StoredAnswer]:
    """The answers to questions whose reference holds more than one SELECT: subqueries and set operations."""
    nested = {item.index for item in items if _is_nested(item)}
    return [answer for answer in answers if answer.index in nested]


def _is_nested(item: Item) -> bool:
    parsed = parse(item.gold)
    return isinstance(parsed, Parsed) and sum(1 for _ in parsed.tree.find_all(exp.Select)) > 1


def _ways(entry: Entry, missed: Mapping[int, str]) -> list[Way]:
    counts: dict[str, _Count] = defaultdict(_Count)
    for answer in entry.answers:
        drawn = 0
        for candidate in answer.candidates if answer.index in missed else ():
            drawn += candidate["origin"] == "actor"
            how = f"draw {drawn}" if candidate["origin"] == "actor" else candidate["origin"]
            counts[how].add(answer.index, candidate, missed[answer.index])
    if "draw 1" in counts and all(counts["draw 1"].repeats):
        del counts["draw 1"]
    return [_way(entry, how, counts[how]) for how in sorted(counts)]


def _way(entry: Entry, how: str, count: _Count) -> Way:
    return Way(
        label=entry.label,
        how=how,
        asked=len(count.right),
        right=proportion(sum(count.right.values()), len(count.right)),
        repeated=proportion(sum(count.repeats), len(count.repeats)),
        tokens=_tokens(entry.answers, ROLES.get(count.origin, "actor")),
    )


def _tokens(answers: Sequence[StoredAnswer], role: str | None) -> float:
    """Tokens computed in one call of a role, on average."""
    spent = [answer.usage[role] for answer in answers if role in answer.usage]
    calls = sum(usage["calls"] for usage in spent)
    computed = sum(usage["prompt"] - usage["cached"] + usage["generated"] for usage in spent)
    return computed / calls if calls else 0.0
