"""Where a run goes next: pure functions of state and settings."""

from typing import Literal

from langgraph.runtime import Runtime

from critiql.agent.context import Context
from critiql.agent.decide.budget import spent
from critiql.agent.decide.doubt import escalated, escalates, in_doubt, next_writer, unexamined
from critiql.agent.roles.execution_critic import executes, not_run
from critiql.agent.state import State


def route_after_ground(state: State) -> Literal["actor", "answer"]:
    """A question that is settled before any model is asked, as a recalled one is, goes to its answer."""
    return "answer" if state.get("stopped") else "actor"


def route_after_candidate(
    _state: State, runtime: Runtime[Context]
) -> Literal["execution_critic", "llm_critic"]:
    """A new candidate is run, unless nothing may be run before the answer."""
    return "execution_critic" if runtime.context.execution else "llm_critic"


def route_after_execution_critic(state: State) -> Literal["llm_critic", "error_detector"]:
    """What ran is judged; when everything new failed, the error detector is next."""
    return (
        "llm_critic"
        if any(executes(c) and "findings" not in c for c in state["candidates"])
        else "error_detector"
    )


def route_after_error_detector(
    state: State, runtime: Runtime[Context]
) -> Literal["execution_critic", "llm_critic", "refiner", "actor", "escalation", "answer"]:
    """Repairs are run; an incumbent in doubt is drawn again or refined; else, or at a limit, the loop ends.

    What is in doubt then goes to the larger model, where there is one, and after that to the answer.
    """
    context = runtime.context
    if not_run(state) and context.execution:
        return "execution_critic"
    if unexamined(state):
        return "llm_critic"
    if in_doubt(state, context) and not escalated(state) and (writer := next_writer(state, context)):
        return writer
    return "escalation" if escalates(state, context) else "answer"


def route_after_draw(state: State, runtime: Runtime[Context]) -> Literal["actor", "execution_critic", "vote"]:
    """Before a vote queries are drawn until a limit; a repetition is a vote and ends nothing."""
    if spent(state, runtime.context) in (None, "no_progress"):
        return "actor"
    return "execution_critic" if runtime.context.execution else "vote"
