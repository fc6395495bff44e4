"""error_llm: errors are named, and a query with any is refined once by them; that result replaces it.

ErrorLLM, algorithms 1 and 2. Rules and a model look for errors; without any the query is returned unchanged.
A query that was given is not replaced unseen: the model learned from errors of another writer, and among
queries that run it accuses mostly right ones. There the incumbent rule decides (`acceptance`).
"""

from typing import Literal

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime

from critiql.agent.candidates import is_weighed
from critiql.agent.context import Context
from critiql.agent.decide.budget import spent
from critiql.agent.detect.semantic import semantic_findings
from critiql.agent.graph_contexts import ErrorLLMContext
from critiql.agent.node import node
from critiql.agent.roles.actor import actor
from critiql.agent.roles.answer import answer
from critiql.agent.roles.decide import decide
from critiql.agent.roles.error_detector import detecting_once
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
) -> Literal["localiser", "refiner", "decide", "answer"]:
    """Any finding brings the one refinement; what a model found gets its place first, where that is on."""
    incumbent, context = incumbent_of(state), runtime.context
    if len(state["candidates"]) > 1:
        return "decide"
    if incumbent is None or not incumbent.get("findings") or spent(state, context):
        return "answer"
    by_model = semantic_findings(incumbent)
    if (
        is_weighed(incumbent, context)
        and not context.execution
        and len(by_model) == len(incumbent["findings"])
    ):
        return "answer"  # a doubt, and without rows nothing that could confirm it
    return "localiser" if context.localiser and by_model else "refiner"


def route_after_refiner(state: State, runtime: Runtime[Context]) -> Literal["execution_critic", "answer"]:
    """A repair that did not simply replace the query is weighed by what both return."""
    weighed = is_weighed(state["candidates"][0], runtime.context) and runtime.context.execution
    return "execution_critic" if weighed and len(state["candidates"]) > 1 else "answer"


builder = StateGraph(
    State, input_schema=InputState, output_schema=OutputState, context_schema=ErrorLLMContext
)
builder.add_node("ground", node(ground))
builder.add_node("actor", node(actor), retry_policy=MODEL_RETRY)
builder.add_node("execution_critic", node(execution_critic))
builder.add_node(
    "error_detector", node(detecting_once), **detected_by_rules(detecting_once, route_after_error_detector)
)
builder.add_node("localiser", node(localiser), **LOCATES)
builder.add_node("refiner", node(replacing_refiner), **WRITES)
builder.add_node("decide", node(decide))
builder.add_node("answer", node(answer))
builder.add_edge(START, "ground")
builder.add_edge("ground", "actor")
builder.add_conditional_edges("actor", route_after_actor)
builder.add_edge("execution_critic", "error_detector")
builder.add_conditional_edges("error_detector", route_after_error_detector)
builder.add_edge("localiser", "refiner")
builder.add_conditional_edges("refiner", route_after_refiner)
builder.add_edge("decide", "answer")
builder.add_edge("answer", END)

graph = compiled(builder, "error_llm")
