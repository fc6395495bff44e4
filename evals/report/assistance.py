"""What each part of SHARE's action assistant proposed, and what became of it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from critiql.agent.share import PARTS
from critiql.evals.run.store import StoredAnswer


@dataclass
class Assistance:
    """One part over all questions of a run; `regeneration` stands for the query of the changed steps."""

    proposed: int = 0
    """Answers asked for, retries included; for regeneration, new queries."""
    valid: int = 0
    """Answers that could be used, "nothing is wrong" included; for regeneration, queries that ran."""
    changed: int = 0
    """Questions whose steps it changed."""
    right: int = 0
    """Of these, questions whose new query is right."""
    accepted: int = 0
    """Of these, questions answered by the new query."""
    fixed: int = 0
    broken: int = 0
    """Of the accepted, against the first query."""


def assistance(answers: Iterable[StoredAnswer]) -> dict[str, Assistance]:
    """Counts per part; what SAM and LOM both changed counts for both. Empty without an assistant."""
    counts: dict[str, Assistance] = {}
    for answer in answers:
        for event in answer.events:
            if event["type"] == "assisted":
                for part, told in _parts(event["trajectory"], answer):
                    _count(counts.setdefault(part, Assistance()), told, answer)
    return counts


def _parts(told: dict[str, Any], answer: StoredAnswer) -> Iterator[tuple[str, dict[str, Any]]]:
    for part in PARTS:
        if told.get(part):
            yield part, told[part]
    new = _new(answer)
    ran = bool(new and (new.get("execution") or {}).get("ok"))
    yield "regeneration", {"proposals": new is not None, "valid": ran, "changes": new}


def _count(count: Assistance, told: dict[str, Any], answer: StoredAnswer) -> None:
    count.proposed += told["proposals"]
    count.valid += told["valid"]
    new = _new(answer)
    if not told["changes"] or new is None:
        return
    first = answer.candidates[0]
    accepted = answer.sql == new["sql"] != first["sql"]
    count.changed += 1
    count.right += bool(new.get("correct"))
    count.accepted += accepted
    count.fixed += accepted and bool(new.get("correct")) and not first.get("correct")
    count.broken += accepted and bool(first.get("correct")) and not new.get("correct")


def _new(answer: StoredAnswer) -> dict[str, Any] | None:
    """The query of the changed steps."""
    return next((c for c in answer.candidates[1:] if c.get("origin") == "regeneration"), None)
