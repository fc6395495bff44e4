"""The wiring that graphs with a vote share; what differs is how they draw."""

from langgraph.graph import END, START, StateGraph

from critiql.agent.graph_contexts import CONTEXTS
from critiql.agent.node import Role, node
from critiql.agent.roles.answer import answer
from critiql.agent.roles.execution_critic import execution_critic
from critiql.agent.roles.ground import ground
from critiql.agent.roles.vote import vote
from critiql.agent.state import InputState, OutputState, State
from critiql.graphs.compiled import Graph, compiled
from critiql.graphs.policies import DRAWS
from critiql.graphs.routing import route_after_draw


def voting(name: str, draw: Role) -> Graph:
    """A graph that draws and runs z queries; the result that most of them return is the answer."""
    builder = StateGraph(
        State, input_schema=InputState, output_schema=OutputState, context_schema=CONTEXTS[name]
    )
    builder.add_node("ground", node(ground))
    builder.add_node("actor", node(draw), **DRAWS)
    builder.add_node("execution_critic", node(execution_critic))
    builder.add_node("vote", node(vote))
    builder.add_node("answer", node(answer))
    builder.add_edge(START, "ground")
    builder.add_edge("ground", "actor")
    builder.add_conditional_edges("actor", route_after_draw)
    builder.add_edge("execution_critic", "vote")
    builder.add_edge("vote", "answer")
    builder.add_edge("answer", END)
    return compiled(builder, name)
