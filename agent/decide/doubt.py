"""What stands against the incumbent, and what may still be tried for it."""

from typing import Literal

from critiql.agent.candidates import executes
from critiql.agent.context import Context
from critiql.agent.decide.budget import overspent, spent
from critiql.agent.decide.incumbent import surprises
from critiql.agent.evidence import Candidate
from critiql.agent.state import State, incumbent_of

SURPRISE = "its rows are surprising"
"""A doubt that is no support for another query: right answers can be empty."""


def in_doubt(state: State, context: Context) -> bool:
    """Whether anything stands against the incumbent: failure, rejection, a finding, a surprise.

    A surprise alone brings no further query for a given one: none could take its place (incumbent.py).
    """
    incumbent = incumbent_of(state)
    if incumbent is None:
        return True
    given = incumbent.get("origin") == "given"
    return any(doubt != SURPRISE or not given for doubt in doubts(incumbent, context))


def doubts(candidate: Candidate, context: Context) -> list[str]:
    """What stands against a candidate, in words.

    That it gives no rows is none where every one of its conditions is proven by a stored value.
    """
    fails = context.execution and candidate.get("execution") is not None and not executes(candidate)
    reasons = {
        "it does not execute": fails,
        "the critic rejects it": candidate.get("verdict") == "rejected",
        "the error detector found something": bool(candidate.get("findings")),
        SURPRISE: bool(surprises(candidate)) and not candidate.get("proven_empty"),
    }
    return [reason for reason, holds in reasons.items() if holds]


def escalated(state: State) -> bool:
    """Whether the larger model has written its query."""
    return any(candidate["origin"] == "escalation" for candidate in state.get("candidates", []))


def escalates(state: State, context: Context) -> bool:
    """Whether the larger model, where there is one, is asked: once, of what is in doubt and not accepted."""
    incumbent = incumbent_of(state)
    return (
        context.escalation_model is not None
        and not escalated(state)
        and in_doubt(state, context)
        and not (incumbent and incumbent.get("verdict") == "accepted")
        and overspent(state, context) is None
    )


def unexamined(state: State) -> list[Candidate]:
    """Candidates the error detector has not looked at."""
    return [c for c in state.get("candidates", []) if "findings" not in c]


def next_writer(state: State, context: Context) -> Literal["actor", "refiner"] | None:
    """Who writes the next query for an incumbent in doubt: the actor draws, the refiner has the last word.

    A draw wins more questions for its tokens than a repair by a small model (docs/RESULTS.md), so the refiner
    comes with the last round, and where draws only repeat themselves. None: nobody, a limit is reached.
    """
    limit, refines = spent(state, context), refinable(state, context)
    last = state["generations"] >= context.z - 1
    if limit is None and context.resample and not (refines and last):
        return "actor"
    return "refiner" if refines and limit in (None, "no_progress") else None


def refinable(state: State, context: Context) -> bool:
    """Whether the refiner has an error or a finding to go by, and has not been asked about it yet."""
    incumbent = incumbent_of(state)
    if incumbent is None or not context.refine or incumbent.get("refined"):
        return False
    return bool(incumbent.get("findings")) or not (executes(incumbent) or incumbent.get("execution") is None)
