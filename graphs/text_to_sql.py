"""text_to_sql: the loop that is never below its own single shot.

The first draft is the incumbent. A failure, a finding or a rejection brings repairs, further draws and,
where it is asked for, a refinement; the incumbent rule (agent/decide/incumbent.py) decides whether one
takes its place. What is in doubt even then can be put to a larger model once (agent/roles/escalation.py). A
question that was answered before goes straight to its answer (agent/roles/recall.py).
"""

from langgraph.graph import END, START, StateGraph

from critiql.agent.context import Context
from critiql.agent.node import node
from critiql.agent.roles.actor import actor
from critiql.agent.roles.error_detector import error_detector
from critiql.agent.roles.escalation import escalation
from critiql.agent.roles.execution_critic import execution_critic
from critiql.agent.roles.llm_critic import llm_critic
from critiql.agent.roles.recall import recalling_ground, remembering_answer
from critiql.agent.roles.refiner import refiner
from critiql.agent.state import InputState, OutputState, State
from critiql.graphs.policies import MODEL_RETRY, WRITES, detected_by_rules, handler, without_verdict
from critiql.graphs.routing import (
    route_after_candidate,
    route_after_error_detector,
    route_after_execution_critic,
    route_after_ground,
)

builder = StateGraph(State, input_schema=InputState, output_schema=OutputState, context_schema=Context)
builder.add_node("ground", node(recalling_ground))
builder.add_node("actor", node(actor), **WRITES)
builder.add_node("execution_critic", node(execution_critic))
builder.add_node(
    "llm_critic", node(llm_critic), retry_policy=MODEL_RETRY, error_handler=handler(without_verdict)
)
builder.add_node(
    "error_detector", node(error_detector), **detected_by_rules(error_detector, route_after_error_detector)
)
builder.add_node("refiner", node(refiner), **WRITES)
builder.add_node("escalation", node(escalation), **WRITES)
builder.add_node("answer", node(remembering_answer))
builder.add_edge(START, "ground")
builder.add_conditional_edges("ground", route_after_ground)
builder.add_conditional_edges("actor", route_after_candidate)
builder.add_conditional_edges("execution_critic", route_after_execution_critic)
builder.add_edge("llm_critic", "error_detector")
builder.add_conditional_edges("error_detector", route_after_error_detector)
builder.add_conditional_edges("refiner", route_after_candidate)
builder.add_conditional_edges("escalation", route_after_candidate)
builder.add_edge("answer", END)

graph = builder.compile(name="text_to_sql")
