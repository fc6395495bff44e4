"""vote: the query whose result most of the drawn queries share becomes the answer."""

from collections.abc import Sequence
from typing import NamedTuple

from critiql.agent.candidates import executes
from critiql.agent.context import Context
from critiql.agent.events import Decided, emit
from critiql.agent.evidence import Candidate, Decision
from critiql.agent.state import State, Update, incumbent_of
from critiql.tools.sql.canonical import fingerprint


class Vote(NamedTuple):
    """An election."""

    winner: Candidate
    votes: int
    """Candidates of the winner's group."""
    voters: int
    """Candidates that could vote: those that execute."""


def elect(candidates: Sequence[Candidate]) -> Vote | None:
    """The first candidate of the largest group of equal rows, among those that execute.

    Ties go to the group seen first. Where nothing was run, queries that print alike are a group. None where
    everything failed.
    """
    groups: dict[str, list[Candidate]] = {}
    for candidate in candidates:
        mark = _mark(candidate)
        if mark is not None:
            groups.setdefault(mark, []).append(candidate)
    if not groups:
        return None
    largest = max(groups.values(), key=len)
    return Vote(largest[0], len(largest), sum(map(len, groups.values())))


def vote(state: State, _context: Context) -> Update:
    """Make the winner the incumbent; where every query fails the first one stays."""
    incumbent, election = incumbent_of(state), elect(state["candidates"])
    if incumbent is None or election is None or election.winner["id"] == incumbent["id"]:
        return {}
    decision = Decision(
        incumbent=incumbent["id"],
        challenger=election.winner["id"],
        displaced=True,
        reason=f"{election.votes} of {election.voters} votes",
        score=None,
    )
    emit(
        Decided(
            type="displaced",
            incumbent=decision["incumbent"],
            challenger=decision["challenger"],
            reason=decision["reason"],
            score=None,
        )
    )
    return {"incumbent": decision["challenger"], "decisions": [decision]}


def _mark(candidate: Candidate) -> str | None:
    """What a candidate votes for: its rows, or its canonical SQL where it was not run; None: it failed."""
    execution = candidate.get("execution")
    if execution is None:
        return fingerprint(candidate["sql"])
    return execution["rows_fingerprint"] if executes(candidate) else None
