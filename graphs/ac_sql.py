"""ac_sql: actor and critics as published: both critics must say True, and the z-th query is not checked.

AC-SQL, section 3. AC-Ex is `llm_critic="off"`, AC-LLM is `execution_critic=False`; AC(-) is single_shot.
The critic says True or False: P(True) is held against one half. A calibration is ours, and a setting.
"""

from typing import Literal

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime

from critiql.agent.candidates import executes
from critiql.agent.context import Context
from critiql.agent.graph_contexts import AcSqlContext
from critiql.agent.node import node
from critiql.agent.roles.actor import regenerating_actor
from critiql.agent.roles.answer import answer
from critiql.agent.roles.execution_critic import execution_critic
from critiql.agent.roles.ground import ground
from critiql.agent.roles.llm_critic import llm_critic
from critiql.agent.state import InputState, OutputState, State, incumbent_of
from critiql.graphs.compiled import compiled
from critiql.graphs.policies import MODEL_RETRY, WRITES, answer_without_verdict, handler


def route_after_actor(
    state: State, runtime: Runtime[Context]
) -> Literal["execution_critic", "llm_critic", "answer"]:
    """The z-th query is the answer; an earlier one goes to the first critic that is on."""
    if state["generations"] >= runtime.context.z:
        return "answer"
    if runtime.context.execution_critic:
        return "execution_critic"
    return "answer" if runtime.context.llm_critic == "off" else "llm_critic"


def route_after_execution_critic(
    state: State, runtime: Runtime[Context]
) -> Literal["llm_critic", "actor", "answer"]:
    """A query that fails is written anew; one that runs goes to the LLM critic where it is on."""
    if not executes(incumbent_of(state)):
        return "actor"
    return "answer" if runtime.context.llm_critic == "off" else "llm_critic"


def route_after_llm_critic(state: State) -> Literal["actor", "answer"]:
    """Only a rejection asks for another query; a critic that knows nothing neither rejects nor approves."""
    incumbent = incumbent_of(state)
    return "actor" if incumbent and incumbent.get("verdict") == "rejected" else "answer"


builder = StateGraph(State, input_schema=InputState, output_schema=OutputState, context_schema=AcSqlContext)
builder.add_node("ground", node(ground))
builder.add_node("actor", node(regenerating_actor), **WRITES)
builder.add_node("execution_critic", node(execution_critic))
builder.add_node(
    "llm_critic", node(llm_critic), retry_policy=MODEL_RETRY, error_handler=handler(answer_without_verdict)
)
builder.add_node("answer", node(answer))
builder.add_edge(START, "ground")
builder.add_edge("ground", "actor")
builder.add_conditional_edges("actor", route_after_actor)
builder.add_conditional_edges("execution_critic", route_after_execution_critic)
builder.add_conditional_edges("llm_critic", route_after_llm_critic)
builder.add_edge("answer", END)

graph = compiled(builder, "ac_sql")
