"""decide: holds every candidate against the incumbent, once, with everything known of both.

It comes after execution, detection and judgement, so that no challenger is weighed before somebody has looked
for what stands against it.
"""

from critiql.agent.context import Context
from critiql.agent.decide.fitted import calibration_for
from critiql.agent.decide.incumbent import settle
from critiql.agent.events import Decided, emit
from critiql.agent.evidence import Decision
from critiql.agent.state import State, Update, incumbent_of


def decide(state: State, context: Context) -> Update:
    """Apply the incumbent rule to everything seen so far, and say so."""
    incumbent = incumbent_of(state)
    if incumbent is None:
        return {}
    calibration = calibration_for(context) if len(state["candidates"]) > 1 else None
    fitted = calibration.displacement if calibration else None
    known = {(d["incumbent"], d["challenger"]) for d in state.get("decisions", [])}
    chosen, decisions = settle(state["candidates"], incumbent, fitted)
    new = [d for d in decisions if (d["incumbent"], d["challenger"]) not in known or d["displaced"]]
    for decision in new:
        emit(_decided(decision))
    return {"incumbent": chosen["id"], "decisions": new}


def _decided(decision: Decision) -> Decided:
    """What the trace says of a decision."""
    return Decided(
        type="displaced" if decision["displaced"] else "kept",
        incumbent=decision["incumbent"],
        challenger=decision["challenger"],
        reason=decision["reason"],
        score=decision["score"],
    )
