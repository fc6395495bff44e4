"""What settings a graph's nodes see, however the graph is run."""

import asyncio
from typing import Any, NamedTuple

import pytest
from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime

from critiql.agent.context import Context
from critiql.agent.graph_contexts import CONTEXTS, AcSqlContext, TextToSqlContext
from critiql.agent.state import InputState, OutputState, State
from critiql.graphs.catalogue import GRAPHS, graph
from critiql.graphs.compiled import Graph, compiled

ASKED: Any = {"question": "How many customers are there?"}
GIVEN: list[tuple[Any, int]] = [
    (None, 5),
    ({}, 5),
    ({"z": 2}, 2),
    (Context(), 5),
    (Context(z=2, refine=True), 2),
    (TextToSqlContext(z=2), 2),
    (AcSqlContext(z=2), 2),
]
"""Settings of a run, and the most queries they allow."""


class Look(NamedTuple):
    """A graph of one node that keeps the settings it is run with."""

    graph: Graph
    seen: list[Context]


@pytest.fixture
def look() -> Look:
    seen: list[Context] = []

    def see(_state: State, runtime: Runtime[Context]) -> State:
        seen.append(runtime.context)
        return {}

    builder = StateGraph(
        State, input_schema=InputState, output_schema=OutputState, context_schema=CONTEXTS["ac_sql"]
    )
    builder.add_node("see", see)
    builder.add_edge(START, "see")
    builder.add_edge("see", END)
    return Look(compiled(builder, "ac_sql"), seen)


@pytest.mark.parametrize(("given", "z"), GIVEN)
def test_a_run_has_the_settings_of_its_graph(given: Any, z: int, look: Look) -> None:
    look.graph.invoke(ASKED, context=given)
    asyncio.run(look.graph.ainvoke(ASKED, context=given))
    list(look.graph.with_config(tags=["mine"]).stream(ASKED, context=given))
    assert [(type(seen), seen.z, seen.llm_critic) for seen in look.seen] == [(AcSqlContext, z, "raw")] * 3


@pytest.mark.parametrize(("outer", "z"), [(None, 5), (Context(z=2), 2), ({"of": "somebody else"}, 5)])
def test_inside_another_graph_it_takes_what_that_one_was_given(outer: Any, z: int, look: Look) -> None:
    builder: Any = StateGraph(State, context_schema=Context if isinstance(outer, Context) else None)
    builder.add_node("sql", look.graph)
    builder.add_node("call", lambda state: look.graph.invoke(state))
    builder.add_edge(START, "sql")
    builder.add_edge("sql", "call")
    around = builder.compile()
    around.invoke(ASKED, context=outer)
    asyncio.run(around.ainvoke(ASKED, context=outer))
    assert [(type(seen), seen.z, seen.llm_critic) for seen in look.seen] == [(AcSqlContext, z, "raw")] * 4


@pytest.mark.parametrize("name", GRAPHS)
def test_every_graph_is_such_a_one(name: str) -> None:
    assert isinstance(graph(name), Graph)
    assert graph(name).name == name
