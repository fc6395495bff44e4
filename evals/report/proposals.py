"""What a loop proposed, and what became of it: never acting is not a way to be never below single shot."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from critiql.evals.run.store import StoredAnswer


@dataclass
class Proposals:
    """Candidates of one origin after the first, over all questions of a run."""

    proposed: int = 0
    ran: int = 0
    right: int = 0
    answered: int = 0
    """How many are the answer; of equal queries the earliest counts."""


def proposals(answers: Iterable[StoredAnswer]) -> dict[str, Proposals]:
    """Counts by origin, the most frequent first."""
    counts: dict[str, Proposals] = defaultdict(Proposals)
    for answer in answers:
        written = [candidate.get("sql") for candidate in answer.candidates]
        chosen = written.index(answer.sql) if answer.sql in written else 0
        for number, candidate in enumerate(answer.candidates[1:], start=1):
            count = counts[str(candidate.get("origin"))]
            count.proposed += 1
            count.ran += bool((candidate.get("execution") or {}).get("ok"))
            count.right += bool(candidate.get("correct"))
            count.answered += number == chosen
    return dict(sorted(counts.items(), key=lambda pair: -pair[1].proposed))
