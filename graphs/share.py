"""share: a query becomes steps, the steps are repaired by SAM and LOM, and become SQL again.

SHARE (arXiv 2506.00391), figure 2. Whether the repaired query is the answer is decided by the incumbent rule
on what both return and what the detector finds in them; as published, `acceptance="always"` takes it unseen.
"""

from typing import Literal

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime

from critiql.agent.candidates import is_weighed
from critiql.agent.context import Context
from critiql.agent.decide.budget import spent
from critiql.agent.graph_contexts import ShareContext
from critiql.agent.node import node
from critiql.agent.roles.action_assistant import action_assistant
from critiql.agent.roles.actor import actor
from critiql.agent.roles.answer import answer
from critiql.agent.roles.decide import decide
from critiql.agent.roles.error_detector import proving
from critiql.agent.roles.execution_critic import execution_critic
from critiql.agent.roles.ground import ground
from critiql.agent.roles.llm_critic import llm_critic
from critiql.agent.state import InputState, OutputState, State, incumbent_of
from critiql.graphs.compiled import compiled
from critiql.graphs.policies import MODEL_RETRY, WRITES, decide_without_verdict, handler


def route_after_actor(state: State, runtime: Runtime[Context]) -> Literal["action_assistant", "answer"]:
    """Repaired once, unless a limit is reached already."""
    return "answer" if spent(state, runtime.context) else "action_assistant"


def route_after_action_assistant(
    state: State, runtime: Runtime[Context]
) -> Literal["execution_critic", "action_assistant", "answer"]:
    """Two queries are weighed by what they return; one alone, or a rule without rows, needs no critic."""
    candidates, context = state["candidates"], runtime.context
    if not is_weighed(candidates[0], context):
        return route_after_decide(state, runtime)
    is_new = len(candidates) > 1 and "execution" not in candidates[-1]
    return "execution_critic" if is_new and context.execution else "answer"


def route_after_decide(state: State, runtime: Runtime[Context]) -> Literal["action_assistant", "answer"]:
    """Another round where the answer is not yet repaired: of the same query the same would come again."""
    incumbent, rounds = incumbent_of(state), sum("refined" in one for one in state["candidates"])
    if incumbent is None or "refined" in incumbent or rounds >= runtime.context.rounds:
        return "answer"
    return "answer" if spent(state, runtime.context) else "action_assistant"


builder = StateGraph(State, input_schema=InputState, output_schema=OutputState, context_schema=ShareContext)
builder.add_node("ground", node(ground))
builder.add_node("actor", node(actor), retry_policy=MODEL_RETRY)
builder.add_node("action_assistant", node(action_assistant), **WRITES)
builder.add_node("execution_critic", node(execution_critic))
builder.add_node("error_detector", node(proving))
builder.add_node(
    "llm_critic", node(llm_critic), retry_policy=MODEL_RETRY, error_handler=handler(decide_without_verdict)
)
builder.add_node("decide", node(decide))
builder.add_node("answer", node(answer))
builder.add_edge(START, "ground")
builder.add_edge("ground", "actor")
builder.add_conditional_edges("actor", route_after_actor)
builder.add_conditional_edges("action_assistant", route_after_action_assistant)
builder.add_edge("execution_critic", "error_detector")
builder.add_edge("error_detector", "llm_critic")
builder.add_edge("llm_critic", "decide")
builder.add_conditional_edges("decide", route_after_decide)
builder.add_edge("answer", END)

graph = compiled(builder, "share")
