"""din_sql: the names a question speaks of, the kind of query, the query, and one gentle correction.

Pourreza and Rafiei, DIN-SQL (arXiv 2304.11015), without its hand-written demonstrations and its intermediate
form of a query: the four steps are asked for in words alone.
"""

from langgraph.graph import END, START, StateGraph

from critiql.agent.graph_contexts import DinSqlContext
from critiql.agent.node import node
from critiql.agent.roles.answer import answer
from critiql.agent.roles.chained_actor import chained_actor
from critiql.agent.roles.ground import ground
from critiql.agent.roles.rewriter import correct_gently
from critiql.agent.state import InputState, OutputState, State
from critiql.graphs.compiled import compiled
from critiql.graphs.policies import MODEL_RETRY, WRITES
from critiql.graphs.self_correction import route_after_actor

builder = StateGraph(State, input_schema=InputState, output_schema=OutputState, context_schema=DinSqlContext)
builder.add_node("ground", node(ground))
builder.add_node("actor", node(chained_actor), retry_policy=MODEL_RETRY)
builder.add_node("refiner", node(correct_gently), **WRITES)
builder.add_node("answer", node(answer))
builder.add_edge(START, "ground")
builder.add_edge("ground", "actor")
builder.add_conditional_edges("actor", route_after_actor)
builder.add_edge("refiner", "answer")
builder.add_edge("answer", END)

graph = compiled(builder, "din_sql")
