"""sampler: draws one more query, whatever was drawn before. What votes are held over.

A repetition is a vote here, so it neither warms the next draw nor ends the drawing.
"""

from critiql import prompts
from critiql.agent.calls import sql_prompt, sql_sampling, write
from critiql.agent.candidates import first, given, propose, question_with_notes
from critiql.agent.context import Context, Role
from critiql.agent.state import State, Update
from critiql.tools.sql.extract import extract_sql

MODELS: tuple[Role, ...] = ("actor", "second")
"""Whose models take turns in a cross-consistency vote."""

VARIANTS = ("actor", "actor_restated", "actor_tables_first", "actor_columns_first", "actor_decomposed")
"""Prompts that take turns in a multiple-prompt vote. All leave the schema as it is, whose state is shared."""


def draw(state: State, context: Context) -> Update:
    """Self-consistency: the actor's model and prompt, by the temperature schedule."""
    return _drawn(state, context, "actor", "actor", state["generations"])


def cross_draw(state: State, context: Context) -> Update:
    """Cross-consistency: the actor's model and the second one in turn, each by the schedule."""
    turn, model = divmod(state["generations"], len(MODELS))
    return _drawn(state, context, MODELS[model], "actor", turn)


def varied_draw(state: State, context: Context) -> Update:
    """Multiple prompts: each draw uses the next variant, a second pass the schedule's next temperature."""
    turn, variant = divmod(state["generations"], len(VARIANTS))
    return _drawn(state, context, "actor", VARIANTS[variant], turn)


def _drawn(state: State, context: Context, model: Role, prompt: str, turn: int) -> Update:
    """One more candidate; a given SQL is the first, and counts as a vote."""
    if state.get("draft") and not state.get("candidates"):
        return given(state)
    request = prompts.load(prompt).render(question=question_with_notes(state))
    sampling = sql_sampling(context, state["generations"], context.temperature(turn))
    generation, call = write(model, context, sql_prompt(state, request), sampling)
    candidate = propose(state, extract_sql(generation.text), "actor", generation)
    return {**first(state, candidate), "generations": state["generations"] + 1, "calls": [call]}
