"""error_llm: errors are named, and a query with any is refined once by them; that result always replaces it.

ErrorLLM, algorithms 1 and 2. Rules and a model look for errors; without any the query is returned unchanged.
"""

from typing import Literal

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime

from critiql.agent.context import Context
from critiql.agent.decide.budget import spent
from critiql.agent.detect.semantic import semantic_findings
from critiql.agent.graph_contexts import ErrorLLMContext
from critiql.agent.node import node
from critiql.agent.roles.actor import actor
from critiql.agent.roles.answer import answer
from critiql.agent.roles.error_detector import detecting
from critiql.agent.roles.execution_critic import execution_critic
from critiql.agent.roles.ground import ground
from critiql.agent.roles.localiser import localiser
from critiql.agent.roles.rewriter import replacing_refiner
from critiql.agent.state import InputState, OutputState, State, incumbent_of
from critiql.graphs.compiled import compiled
from critiql.graphs.policies import LOCATES, MODEL_RETRY, WRITES, detected_by_rules


def route_after_actor(
    _state: State, runtime: Runtime[Context]
) -> Literal["execution_critic", "error_detector"]:
    """What running it gives is evidence for the detector, where it may be run."""
    return "execution_critic" if runtime.context.execution else "error_detector"


def route_after_error_detector(
    state: State, runtime: Runtime[Context]
) -> Literal["localiser", "refiner", "answer"]:
    """Any finding brings the one refinement; what a model found gets its place first, where that is on."""
    incumbent = incumbent_of(state)
    if incumbent is None or not incumbent.get("findings") or spent(state, runtime.context):
        return "answer"
    return "localiser" if runtime.context.localiser and semantic_findings(incumbent) else "refiner"


builder = StateGraph(
    State, input_schema=InputState, output_schema=OutputState, context_schema=ErrorLLMContext
)
builder.add_node("ground", node(ground))
builder.add_node("actor", node(actor), retry_policy=MODEL_RETRY)
builder.add_node("execution_critic", node(execution_critic))
builder.add_node(
    "error_detector", node(detecting), **detected_by_rules(detecting, route_after_error_detector)
)
builder.add_node("localiser", node(localiser), **LOCATES)
builder.add_node("refiner", node(replacing_refiner), **WRITES)
builder.add_node("answer", node(answer))
builder.add_edge(START, "ground")
builder.add_edge("ground", "actor")
builder.add_conditional_edges("actor", route_after_actor)
builder.add_edge("execution_critic", "error_detector")
builder.add_conditional_edges("error_detector", route_after_error_detector)
builder.add_edge("localiser", "refiner")
builder.add_edge("refiner", "answer")
builder.add_edge("answer", END)

graph = compiled(builder, "error_llm")
