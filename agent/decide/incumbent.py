"""The incumbent rule: when a challenger may displace the query that would be the answer now.

Published repair loops mostly end below their own first draft, because they let an opinion replace a query
that works. Here a challenger needs evidence:

(a) the incumbent fails to execute and the challenger executes, or code mended a draw of ours in it, the rows
    are the same, and fewer findings stand against it; or
(b) the fitted score of their *difference* exceeds the fitted margin; or
(c) without a fit, another candidate returns the challenger's rows, or a deterministic finding stands against
    the incumbent, and nothing of that kind, nor a surprising result, stands against the challenger. The
    critic's opinion may veto such a change, and never make one. A surprise alone is no support: right
    answers can be empty.

A given query was written by somebody else, who may know better than the actor. Draws of one actor repeat each
other's mistakes, so that their agreement says nothing against it.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from critiql.agent.decide.calibration import Displacement
from critiql.agent.evidence import Candidate, Decision
from critiql.tools.errors.types.error_type import SEMANTIC


class Evidence(NamedTuple):
    """What is known of one candidate, beside the others of the same question."""

    executes: bool
    rows: str | None
    """Fingerprint of its rows."""
    agreeing: int
    """Other candidates, written differently, that return the same rows."""
    findings: int
    """Deterministic findings of the error detector; what a model said is a doubt, and no proof."""
    surprises: int
    """No rows at all, or a column of nothing but NULL."""
    p_true: float | None
    logprob: float | None
    """Mean log-probability of its tokens, in nats."""
    given: bool
    """It is the caller's, and no model of this run wrote it."""


class Difference(NamedTuple):
    """Challenger minus incumbent, signed so that more is better for the challenger; unknown counts as 0."""

    agreement: float
    findings: float
    surprises: float
    p_true: float
    """Difference of the logits of P(True): within one question the level cancels out."""
    logprob: float


def evidence(candidate: Candidate, candidates: Sequence[Candidate]) -> Evidence:
    """Collect what is known of a candidate."""
    execution = candidate.get("execution")
    rows = execution["rows_fingerprint"] if execution else None
    tokens = candidate.get("tokens") or 0
    logprob = candidate.get("logprob")
    return Evidence(
        executes=bool(execution and execution["ok"]),
        rows=rows,
        agreeing=sum(_agrees(other, candidate, rows) for other in candidates),
        findings=sum(found.get("source") not in SEMANTIC for found in candidate.get("findings", [])),
        surprises=surprises(candidate),
        p_true=candidate.get("p_true"),
        logprob=logprob / tokens if logprob is not None and tokens else None,
        given=candidate.get("origin") == "given",
    )


def surprises(candidate: Candidate) -> int:
    """How much of a result looks odd: no rows, or columns of nothing but NULL."""
    execution = candidate.get("execution")
    if not execution or not execution["ok"]:
        return 0
    return (execution["row_count"] == 0) + bool(execution["null_columns"])


def difference(challenger: Evidence, incumbent: Evidence) -> Difference:
    """What speaks for the challenger."""
    agreement = challenger.agreeing - incumbent.agreeing
    return Difference(
        agreement=float(min(agreement, 0) if incumbent.given else agreement),
        findings=float(incumbent.findings - challenger.findings),
        surprises=float(incumbent.surprises - challenger.surprises),
        p_true=_gap(challenger.p_true, incumbent.p_true, _logit),
        logprob=_gap(challenger.logprob, incumbent.logprob, float),
    )


def score(change: Difference, weights: Mapping[str, float]) -> float:
    """The fitted score: log-odds that the challenger is right and the incumbent wrong, up to a constant."""
    return float(sum(weights.get(name, 0.0) * value for name, value in change._asdict().items()))


def decide(
    challenger: Candidate,
    incumbent: Candidate,
    candidates: Sequence[Candidate],
    fitted: Displacement | None = None,
) -> Decision:
    """Apply the rule to one pair. Pure: the same candidates give the same decision."""
    new, old = evidence(challenger, candidates), evidence(incumbent, candidates)
    mends = challenger.get("mends") == incumbent["id"]
    displaced, reason, value = _verdict(new, old, fitted, mends=mends)
    return Decision(
        incumbent=incumbent["id"],
        challenger=challenger["id"],
        displaced=displaced,
        reason=reason,
        score=value,
    )


def settle(
    candidates: Sequence[Candidate], incumbent: Candidate, fitted: Displacement | None = None
) -> tuple[Candidate, list[Decision]]:
    """Hold every executed candidate against the incumbent, in order of appearance."""
    decisions: list[Decision] = []
    for challenger in candidates:
        if challenger["id"] == incumbent["id"] or not challenger.get("execution"):
            continue
        decision = decide(challenger, incumbent, candidates, fitted)
        decisions.append(decision)
        if decision["displaced"]:
            incumbent = challenger
    return incumbent, decisions


def _verdict(
    new: Evidence, old: Evidence, fitted: Displacement | None, *, mends: bool
) -> tuple[bool, str, float | None]:
    """Whether the challenger displaces the incumbent, why, and the score where one was computed."""
    if not new.executes:
        return False, "the challenger does not execute", None
    if not old.executes:
        return True, "the incumbent does not execute", None
    if new.rows == old.rows and mends and not old.given and new.findings < old.findings:
        return True, "it mends the incumbent, and returns the same rows", None
    if new.rows == old.rows:
        return False, "both return the same rows", None
    change = difference(new, old)
    if fitted is not None:
        value = score(change, fitted.weights)
        return value > fitted.margin, f"score {value:.2f} against margin {fitted.margin:.2f}", value
    return (*_unfitted(change), None)


def _unfitted(change: Difference) -> tuple[bool, str]:
    """Rule (c)."""
    against = [name for name in ("agreement", "findings", "surprises") if getattr(change, name) < 0]
    support = [name for name in ("agreement", "findings") if getattr(change, name) > 0]
    if against:
        return False, f"{', '.join(against)} against the challenger"
    if not support:
        return False, "neither agreement nor a finding for the challenger"
    if change.p_true < 0:
        return False, f"{', '.join(support)} for the challenger, but the critic prefers the incumbent"
    return True, f"{', '.join(support)} for the challenger"


def _agrees(other: Candidate, candidate: Candidate, rows: str | None) -> bool:
    """Whether another candidate, not a repetition, returns these rows."""
    execution = other.get("execution")
    return (
        rows is not None
        and other["id"] != candidate["id"]
        and execution is not None
        and execution["rows_fingerprint"] == rows
        and other.get("sql") != candidate.get("sql")
    )


def _gap(new: float | None, old: float | None, scale: Callable[[float], float]) -> float:
    """Difference on a scale; 0 where either is unknown."""
    return scale(new) - scale(old) if new is not None and old is not None else 0.0


def _logit(probability: float) -> float:
    """Log-odds, kept finite."""
    clipped = min(max(probability, 1e-6), 1 - 1e-6)
    return math.log(clipped / (1 - clipped))
