"""The graphs by name, each imported only when asked for."""

from importlib import import_module
from typing import Any

from critiql.agent.graph_contexts import context_of_graph
from critiql.graphs.compiled import Graph

GRAPHS = {
    "text_to_sql": "the flagship: repairs, refinement and further draws under the incumbent rule",
    "single_shot": "one greedy query, run and returned",
    "ac_sql": "actor, execution critic and LLM critic as published",
    "error_llm": "typed errors are found, and a query with any is refined once by them",
    "share": "a query is repaired by its steps, and the repair weighed against it",
    "self_debugging": "a query that fails is shown to its model with the error and written anew",
    "self_correction": "the model is shown its own query once and corrects it unseen",
    "din_sql": "names, kind of query, the query and a gentle correction, each asked for by itself",
    "self_consistency": "several draws of one model vote by what they return",
    "cross_consistency": "draws of two models vote by what they return",
    "multiple_prompt": "draws asked for in different words vote by what they return",
    "mac_refiner": "an error, an empty result or a NULL is refined, and the last query wins",
}
"""What each graph is, in one line."""

CHATS = {
    "assistant": "a conversation about a database: questions, follow-ups, charts, and a person asked back"
}
"""Graphs that hold a conversation around those that answer one question."""


def graph(name: str) -> Graph:
    """The compiled graph of that name.

    Raises:
        UnknownGraphError: no such graph; the message lists those there are.
    """
    context_of_graph(name)
    module: Any = import_module(f"critiql.graphs.{name}")
    compiled: Graph = module.graph
    return compiled
