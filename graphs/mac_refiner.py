"""mac_refiner: MAC-SQL's refiner behind our actor: a failure, no rows or a NULL brings a rewrite.

Wang et al., MAC-SQL (arXiv 2312.11242), with the trigger of its published code; the last query wins.
"""

from typing import Literal

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime

from critiql.agent.context import Context
from critiql.agent.decide.budget import spent
from critiql.agent.decide.mac_trigger import triggered
from critiql.agent.graph_contexts import MacRefinerContext
from critiql.agent.node import node
from critiql.agent.roles.actor import actor
from critiql.agent.roles.answer import answer
from critiql.agent.roles.execution_critic import execution_critic
from critiql.agent.roles.ground import ground
from critiql.agent.roles.rewriter import mac_refine
from critiql.agent.state import InputState, OutputState, State, incumbent_of
from critiql.graphs.compiled import compiled
from critiql.graphs.policies import MODEL_RETRY, WRITES


def route_after_actor(_state: State, runtime: Runtime[Context]) -> Literal["execution_critic", "answer"]:
    """Where nothing may be run the first query is the answer."""
    return "execution_critic" if runtime.context.execution else "answer"


def route_after_execution_critic(state: State, runtime: Runtime[Context]) -> Literal["refiner", "answer"]:
    """What looks amiss is refined, within the limits."""
    incumbent = incumbent_of(state)
    if incumbent is None or not triggered(incumbent.get("execution")) or spent(state, runtime.context):
        return "answer"
    return "refiner"


builder = StateGraph(
    State, input_schema=InputState, output_schema=OutputState, context_schema=MacRefinerContext
)
builder.add_node("ground", node(ground))
builder.add_node("actor", node(actor), retry_policy=MODEL_RETRY)
builder.add_node("execution_critic", node(execution_critic))
builder.add_node("refiner", node(mac_refine), **WRITES)
builder.add_node("answer", node(answer))
builder.add_edge(START, "ground")
builder.add_edge("ground", "actor")
builder.add_conditional_edges("actor", route_after_actor)
builder.add_conditional_edges("execution_critic", route_after_execution_critic)
builder.add_edge("refiner", "execution_critic")
builder.add_edge("answer", END)

graph = compiled(builder, "mac_refiner")
