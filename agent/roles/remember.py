"""remember: keeps which query was chosen, so that the same question is answered at once the next time."""

from critiql.agent.context import Context
from critiql.agent.decide.budget import spent
from critiql.agent.decide.doubt import in_doubt
from critiql.agent.decide.fitted import asked
from critiql.agent.memory import answer_cache
from critiql.agent.memory.answer_cache import Chosen
from critiql.agent.state import State, Update, incumbent_of


def remember(state: State, context: Context) -> Update:
    """Keep what was chosen; forget a recalled query that no longer gives rows."""
    key, incumbent = state.get("answer_key"), incumbent_of(state)
    if key is None or incumbent is None:
        return {}
    if state.get("stopped") == "recalled":
        if state["status"] == "failed":
            answer_cache.forget(key)
    elif finished(state, context):
        answer_cache.remember(key, Chosen.of(incumbent, state["confidence"]))
    return {}


def finished(state: State, context: Context) -> bool:
    """Whether a run gave rows and ended by itself: no model failed, no budget cut it short."""
    incumbent = incumbent_of(state)
    if state["status"] not in ("accepted", "unverified") or incumbent is None:
        return False
    if state.get("stopped") == "model_failed":
        return False
    if asked(context) and incumbent.get("p_true") is None:  # the critic failed
        return False
    return not in_doubt(state, context) or spent(state, context) not in ("seconds", "tokens")
