"""The systems of a run: graphs in this process behind the call cache, or deployed ones by URL."""

import json
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

import httpx
from langgraph.pregel.remote import RemoteGraph

from critiql.agent.answer import Answer
from critiql.agent.context import Context
from critiql.agent.state import State
from critiql.evals.data.item import Item
from critiql.evals.run.runner import Ask
from critiql.graphs.api import ask, recursion_limit
from critiql.graphs.catalogue import graph

PATIENCE = 3600.0
"""Wall-clock seconds per question unless set otherwise: a budget that bites on a busy machine would make
the result depend on what else runs there."""

PAUSES = (1.0, 5.0, 15.0)
"""Seconds before a question is asked again whose connection to the server broke."""


def context_of(model: str | None, critic: str | None, settings: Iterable[str]) -> Context:
    """The settings of a run.

    Args:
        model: model of every role; None for the default.
        critic: model of the LLM critic; None for the same.
        settings: `key=value` pairs; values are read as JSON where they are JSON, else as text.

    Raises:
        ValueError: a pair without `=`, or a setting that does not exist or is out of range.
    """
    values: dict[str, Any] = {"seconds": PATIENCE}
    if model is not None:
        values["model"] = model
    if critic is not None:
        values["llm_critic_model"] = critic
    return Context(**(values | dict(map(_pair, settings))))


def local(system: str, context: Context) -> Ask:
    """A graph in this process.

    Raises:
        UnknownGraphError: there is none of that name.
    """
    graph(system)
    context = without_memory(context)

    def ask_here(item: Item) -> Answer:
        return ask(
            item.question,
            item.database,
            graph=system,
            context=context,
            evidence=item.evidence,
            draft=item.draft,
        )

    return ask_here


def remote(system: str, url: str, context: Context) -> Ask:
    """A graph of a LangGraph server. Its machine must have the databases under the same paths.

    A question whose connection breaks, as where one of several instances ends, is asked anew a few times.
    """
    deployed = RemoteGraph(system, url=url)
    settings = without_memory(context).model_dump(mode="json", exclude_defaults=True)

    def ask_there(item: Item) -> Answer:
        for pause in PAUSES:
            try:
                return ask_once(item)
            except httpx.TransportError:
                time.sleep(pause)
        return ask_once(item)

    def ask_once(item: Item) -> Answer:
        started = time.monotonic()
        given = {"question": item.question, "database": str(item.database), "evidence": item.evidence}
        given |= {"draft": item.draft} if item.draft else {}
        events: list[dict[str, Any]] = []
        state: Any = {}
        modes: list[Any] = ["custom", "values"]
        config: Any = {"recursion_limit": recursion_limit(context)}
        for part in deployed.stream(given, config, context=settings, stream_mode=modes, version="v2"):
            if part["type"] == "values":
                state = part["data"]
            elif part["type"] == "custom" and part["data"]["type"] != "writing":
                events.append(part["data"])
        return Answer.of(cast(State, state), system, time.monotonic() - started, events)

    return ask_there


def without_memory(context: Context) -> Context:
    """The same settings, without what somebody verified on this machine: a result is to be had on any."""
    return context.model_copy(update={"memory": False})


def settings_of(context: Context) -> dict[str, Any]:
    """Settings that differ from their defaults, without folders: a model's or head's file by its name."""
    values = context.model_dump(mode="json", exclude_defaults=True, exclude={"database"})
    return {name: _named(value) for name, value in values.items()}


def _named(value: Any) -> Any:
    if isinstance(value, list):
        return [_named(part) for part in value]
    return Path(value).name if isinstance(value, str) and value.endswith((".gguf", ".safetensors")) else value


def _pair(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        raise ValueError(f"A setting is written key=value, not {text!r}.")
    try:
        return name.strip(), json.loads(value)
    except json.JSONDecodeError:
        return name.strip(), value
