"""single_shot: one greedy query, run and returned. The line every loop is measured against."""

from langgraph.graph import END, START, StateGraph

from critiql.agent.graph_contexts import SingleShotContext
from critiql.agent.node import node
from critiql.agent.roles.actor import actor
from critiql.agent.roles.answer import answer
from critiql.agent.roles.ground import ground
from critiql.agent.state import InputState, OutputState, State
from critiql.graphs.compiled import compiled
from critiql.graphs.policies import MODEL_RETRY

builder = StateGraph(
    State, input_schema=InputState, output_schema=OutputState, context_schema=SingleShotContext
)
builder.add_node("ground", node(ground))
builder.add_node("actor", node(actor), retry_policy=MODEL_RETRY)
builder.add_node("answer", node(answer))
builder.add_edge(START, "ground")
builder.add_edge("ground", "actor")
builder.add_edge("actor", "answer")
builder.add_edge("answer", END)

graph = compiled(builder, "single_shot")
