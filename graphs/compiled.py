"""A compiled graph that knows its own settings, however LangGraph is asked to run it."""

from collections.abc import Mapping
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.graph import StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import get_runtime

from critiql.agent.context import Context
from critiql.agent.graph_contexts import context_of_graph, narrowed
from critiql.agent.state import InputState, OutputState, State


class Graph(CompiledStateGraph[State, Context, InputState, OutputState]):
    """LangGraph leaves out what a run was not given; here a run then has its graph's own defaults.

    `invoke` and `ainvoke` come through the two methods below.
    """

    def stream(self, input: Any, config: RunnableConfig | None = None, **options: Any) -> Any:  # noqa: A002 - LangGraph's name
        """As LangGraph's own, whose defaults for `context` are the graph's."""
        options["context"] = settled(self.name, options.get("context"))
        return super().stream(input, config, **options)

    def astream(self, input: Any, config: RunnableConfig | None = None, **options: Any) -> Any:  # noqa: A002 - LangGraph's name
        """As LangGraph's own, whose defaults for `context` are the graph's."""
        options["context"] = settled(self.name, options.get("context"))
        return super().astream(input, config, **options)


def compiled(builder: StateGraph[State, Any, InputState, OutputState], name: str) -> Graph:
    """The graph of that name; a copy as LangGraph's own `copy` makes it, but of our class."""
    return Graph(**vars(builder.compile(name=name)))


def settled(graph: str, given: Any) -> Any:
    """The settings of a run: those given, else those of the graph that this one runs in, else its own.

    A mapping is left to LangGraph, which makes the settings of it.
    """
    if isinstance(given, Mapping):
        return given
    own = context_of_graph(graph)
    named = given if given is not None else _of_the_outer_graph()
    if isinstance(named, own):
        return named
    return narrowed(graph, named) if isinstance(named, Context) else own()


def _of_the_outer_graph() -> Any:
    """The settings of the run that this one happens in; None outside of any."""
    try:
        return get_runtime().context
    except RuntimeError:
        return None
