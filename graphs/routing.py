"""Where a run goes next: pure functions of state and settings."""

from typing import Literal

from langgraph.runtime import Runtime

from critiql.agent.candidates import executes, not_run
from critiql.agent.context import Context
from critiql.agent.decide.budget import spent
from critiql.agent.decide.doubt import escalated, escalates, in_doubt, next_writer, unexamined
from critiql.agent.state import State, incumbent_of


def route_after_recall(state: State) -> Literal["ground", "answer"]:
    """A question that was answered before goes to its answer."""
    return "answer" if state.get("stopped") else "ground"


def route_after_candidate(
    _state: State, runtime: Runtime[Context]
) -> Literal["execution_critic", "error_detector"]:
    """A new candidate is run, unless nothing may be run before the answer."""
    return "execution_critic" if runtime.context.execution else "error_detector"


def route_after_error_detector(
    state: State, runtime: Runtime[Context]
) -> Literal["execution_critic", "error_detector", "llm_critic", "decide"]:
    """Repairs are run and looked at too; then everything is judged, where a critic is on, and decided."""
    context = runtime.context
    if not_run(state) and context.execution:
        return "execution_critic"
    if unexamined(state):
        return "error_detector"
    return "decide" if context.llm_critic == "off" else "llm_critic"


def route_after_decide(
    state: State, runtime: Runtime[Context]
) -> Literal["abstain", "refiner", "actor", "escalation", "answer"]:
    """Where the first query and all that was mended of it failed, the question may be foreign."""
    first = state["generations"] == 1 and not executes(incumbent_of(state))
    if first and runtime.context.abstain and runtime.context.execution:
        return "abstain"
    return next_step(state, runtime.context)


def route_after_abstain(
    state: State, runtime: Runtime[Context]
) -> Literal["refiner", "actor", "escalation", "answer"]:
    """A foreign question is answered with the reason; any other goes on."""
    return "answer" if state.get("stopped") else next_step(state, runtime.context)


def next_step(state: State, context: Context) -> Literal["refiner", "actor", "escalation", "answer"]:
    """An incumbent in doubt is drawn again or refined; else, or at a limit, the loop ends.

    What is in doubt then goes to the larger model, where there is one, and after that to the answer.
    """
    if in_doubt(state, context) and not escalated(state) and (writer := next_writer(state, context)):
        return writer
    return "escalation" if escalates(state, context) else "answer"


def route_after_draw(state: State, runtime: Runtime[Context]) -> Literal["actor", "execution_critic", "vote"]:
    """Before a vote queries are drawn until a limit; a repetition is a vote and ends nothing."""
    if spent(state, runtime.context) in (None, "no_progress"):
        return "actor"
    return "execution_critic" if runtime.context.execution else "vote"
