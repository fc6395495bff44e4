"""self_correction: the model is shown its own query once, unrun, and what it writes is the answer.

The generic and the gentle prompt after Pourreza and Rafiei, DIN-SQL (arXiv 2304.11015), the review after
Huang et al. (arXiv 2310.01798), all in words of our own.
"""

from typing import Literal

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime

from critiql.agent.context import Context
from critiql.agent.decide.budget import spent
from critiql.agent.graph_contexts import SelfCorrectionContext
from critiql.agent.node import node
from critiql.agent.roles.actor import actor
from critiql.agent.roles.answer import answer
from critiql.agent.roles.ground import ground
from critiql.agent.roles.rewriter import correct
from critiql.agent.state import InputState, OutputState, State
from critiql.graphs.compiled import compiled
from critiql.graphs.policies import MODEL_RETRY, WRITES


def route_after_actor(state: State, runtime: Runtime[Context]) -> Literal["refiner", "answer"]:
    """Corrected once, unless a limit is reached already."""
    return "answer" if spent(state, runtime.context) else "refiner"


builder = StateGraph(
    State, input_schema=InputState, output_schema=OutputState, context_schema=SelfCorrectionContext
)
builder.add_node("ground", node(ground))
builder.add_node("actor", node(actor), retry_policy=MODEL_RETRY)
builder.add_node("refiner", node(correct), **WRITES)
builder.add_node("answer", node(answer))
builder.add_edge(START, "ground")
builder.add_edge("ground", "actor")
builder.add_conditional_edges("actor", route_after_actor)
builder.add_edge("refiner", "answer")
builder.add_edge("answer", END)

graph = compiled(builder, "self_correction")
