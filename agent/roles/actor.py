"""actor: writes candidate SQL. The first draft is greedy; later ones are drawn, never twice alike."""

from critiql import prompts
from critiql.agent.calls import sql_prompt, sql_sampling, write
from critiql.agent.candidates import first, given, propose, question_with_notes
from critiql.agent.context import Context
from critiql.agent.decide.budget import repeated
from critiql.agent.state import State, Update, incumbent_of
from critiql.tools.sql.extract import extract_sql

REPEAT_RAISES = 0.3
"""How much a repeated query raises the temperature of later draws."""

HOTTEST = 1.5
"""Above this a small model's SQL falls apart."""


def actor(state: State, context: Context) -> Update:
    """Write one more candidate; the first is the incumbent. A given SQL takes the first draft's place."""
    if state.get("draft") and not state.get("candidates"):
        return given(state)
    prompt = sql_prompt(state, request(state))
    sampling = sql_sampling(context, state["generations"], warmth(state, context))
    generation, call = write("actor", context, prompt, sampling)
    candidate = propose(state, extract_sql(generation.text), "actor", generation)
    return {**first(state, candidate), "generations": state["generations"] + 1, "calls": [call]}


def warmth(state: State, context: Context) -> float:
    """Temperature of the next draw: the schedule's, raised for every repeated query so far."""
    scheduled = context.temperature(state["generations"])
    return min(scheduled + REPEAT_RAISES * repeated(state), HOTTEST) if scheduled else scheduled


def regenerating_actor(state: State, context: Context) -> Update:
    """AC-SQL's actor: shown its rejected query it writes a new one, and the newest is the incumbent."""
    prompt = sql_prompt(state, request_again(state) or request(state))
    generation, call = write("actor", context, prompt, sql_sampling(context, state["generations"]))
    candidate = propose(state, extract_sql(generation.text), "actor", generation)
    return {
        "candidates": [candidate],
        "incumbent": candidate["id"],
        "generations": state["generations"] + 1,
        "calls": [call],
    }


def request(state: State) -> str:
    """The actor's part of the prompt: question, notes, instruction."""
    return prompts.load("actor").render(question=question_with_notes(state))


def request_again(state: State) -> str | None:
    """The request for a new query after a rejected one; None when nothing was rejected yet."""
    rejected = incumbent_of(state)
    if rejected is None:
        return None
    return prompts.load("actor_again").render(question=question_with_notes(state), rejected=rejected["sql"])
