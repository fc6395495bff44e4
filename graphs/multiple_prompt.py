"""multiple_prompt: each draw is asked for in other words, and the result that most return is the answer.

Lee et al., MCS-SQL (arXiv 2405.07467), with other words in place of another order of schema and examples.
"""

from langgraph.graph import END, START, StateGraph

from critiql.agent.answer import answer
from critiql.agent.context import Context
from critiql.agent.execution_critic import execution_critic
from critiql.agent.grounding import ground
from critiql.agent.node import node
from critiql.agent.sampler import varied_draw
from critiql.agent.state import InputState, OutputState, State
from critiql.agent.voting import vote
from critiql.graphs.policies import DRAWS
from critiql.graphs.routing import route_after_draw

builder = StateGraph(State, input_schema=InputState, output_schema=OutputState, context_schema=Context)
builder.add_node("ground", node(ground))
builder.add_node("actor", node(varied_draw), **DRAWS)
builder.add_node("execution_critic", node(execution_critic))
builder.add_node("vote", node(vote))
builder.add_node("answer", node(answer))
builder.add_edge(START, "ground")
builder.add_edge("ground", "actor")
builder.add_conditional_edges("actor", route_after_draw)
builder.add_edge("execution_critic", "vote")
builder.add_edge("vote", "answer")
builder.add_edge("answer", END)

graph = builder.compile(name="multiple_prompt")
