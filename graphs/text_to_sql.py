"""text_to_sql: the loop that is never below its own single shot.

The first draft is the incumbent. A failure, a finding or a rejection brings repairs, further draws and,
where it is asked for, a refinement. Each is run, looked at and judged before the incumbent rule
(agent/decide/incumbent.py) decides whether it takes the incumbent's place. What is in doubt even then can be
put to a larger model once. A question that was answered before goes straight to its answer.
"""

from langgraph.graph import END, START, StateGraph

from critiql.agent.graph_contexts import TextToSqlContext
from critiql.agent.node import node
from critiql.agent.roles.abstain import abstain
from critiql.agent.roles.actor import actor
from critiql.agent.roles.answer import answer
from critiql.agent.roles.decide import decide
from critiql.agent.roles.error_detector import error_detector
from critiql.agent.roles.escalation import escalation
from critiql.agent.roles.execution_critic import execution_critic
from critiql.agent.roles.ground import ground
from critiql.agent.roles.llm_critic import llm_critic
from critiql.agent.roles.recall import recall
from critiql.agent.roles.refiner import refiner
from critiql.agent.roles.remember import remember
from critiql.agent.state import InputState, OutputState, State
from critiql.graphs.compiled import compiled
from critiql.graphs.policies import MODEL_RETRY, WRITES, decide_without_verdict, detected_by_rules, handler
from critiql.graphs.routing import (
    route_after_abstain,
    route_after_candidate,
    route_after_decide,
    route_after_error_detector,
    route_after_recall,
)

builder = StateGraph(
    State, input_schema=InputState, output_schema=OutputState, context_schema=TextToSqlContext
)
builder.add_node("recall", node(recall))
builder.add_node("ground", node(ground))
builder.add_node("actor", node(actor), **WRITES)
builder.add_node("abstain", node(abstain))
builder.add_node("execution_critic", node(execution_critic))
builder.add_node(
    "error_detector", node(error_detector), **detected_by_rules(error_detector, route_after_error_detector)
)
builder.add_node(
    "llm_critic", node(llm_critic), retry_policy=MODEL_RETRY, error_handler=handler(decide_without_verdict)
)
builder.add_node("decide", node(decide))
builder.add_node("refiner", node(refiner), **WRITES)
builder.add_node("escalation", node(escalation), **WRITES)
builder.add_node("answer", node(answer))
builder.add_node("remember", node(remember))
builder.add_edge(START, "recall")
builder.add_conditional_edges("recall", route_after_recall)
builder.add_edge("ground", "actor")
builder.add_conditional_edges("actor", route_after_candidate)
builder.add_edge("execution_critic", "error_detector")
builder.add_conditional_edges("error_detector", route_after_error_detector)
builder.add_edge("llm_critic", "decide")
builder.add_conditional_edges("decide", route_after_decide)
builder.add_conditional_edges("abstain", route_after_abstain)
builder.add_conditional_edges("refiner", route_after_candidate)
builder.add_conditional_edges("escalation", route_after_candidate)
builder.add_edge("answer", "remember")
builder.add_edge("remember", END)

graph = compiled(builder, "text_to_sql")
