"""escalation: where the loop ends in doubt, a larger or hosted model writes one query, as a challenger."""

from critiql.agent.calls import sql_prompt, sql_sampling, write
from critiql.agent.candidates import propose
from critiql.agent.context import Context
from critiql.agent.decide.doubt import doubts
from critiql.agent.events import Escalated, emit
from critiql.agent.roles.actor import request
from critiql.agent.state import State, Update, incumbent_of
from critiql.tools.hiding import hide_secrets
from critiql.tools.sql.extract import extract_sql


def escalation(state: State, context: Context) -> Update:
    """Ask the other model what the actor was asked, once; it may go one query beyond z."""
    incumbent = incumbent_of(state)
    reasons = doubts(incumbent, context) if incumbent else ["there is no query"]
    emit(Escalated(model=hide_secrets(context.spec("escalation")), reason=" and ".join(reasons)))
    sampling = sql_sampling(context, state["generations"], 0.0)
    generation, call = write("escalation", context, sql_prompt(state, request(state)), sampling)
    candidate = propose(state, extract_sql(generation.text), "escalation", generation)
    candidate["logprob"] = None  # another model's, and no measure beside the actor's
    return {"candidates": [candidate], "generations": state["generations"] + 1, "calls": [call]}
