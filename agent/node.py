"""How a role becomes a graph node: threads for blocking work, cancellation that reaches into it."""

import asyncio
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from langchain_core.runnables import RunnableLambda
from langgraph.config import get_config
from langgraph.runtime import get_runtime

from critiql.agent.admission import admitted
from critiql.agent.context import Context
from critiql.agent.state import State, Update
from critiql.tools.hiding import hide_known_in
from critiql.tools.models.cancel import cancellable, time_limit
from critiql.tools.models.given import use_given_models
from critiql.tools.models.journal import journaled
from critiql.tools.telemetry import span

JOURNAL = "journal"
"""Name in `configurable` of the journal that keeps the run's model answers, where there is one."""
MODELS = "models"
"""Name in `configurable` of the models that the caller gave as objects, by the names that roles know."""

S = TypeVar("S")
U = TypeVar("U")

Role = Callable[[State, Context], Update]
"""A role reads the state and the settings, and returns only what it changed."""


def node(role: Role) -> RunnableLambda[State, Update]:
    """Wrap a role as a node that runs in a thread under asyncio and stops within a second when cancelled.

    A node timeout stops neither llama.cpp nor SQLite, and a cancelled task leaves its thread running; so
    cancellation travels as an event that the runtime looks at between batches of tokens.
    """

    def run(state: State) -> Update:
        context = admitted(get_runtime(Context).context)
        configurable = get_config().get("configurable", {})
        journal, given = configurable.get(JOURNAL), configurable.get(MODELS)
        with journaled(journal), use_given_models(given), time_limit(seconds_left(state, context)):
            with span(f"node {name}", {"critiql.node": name}) as tell:
                update: Update = hide_known_in(role(state, context))
                tell(_told(update))
            return update

    name = getattr(role, "__name__", "role")
    return threaded(run, name)


def _told(update: Update) -> dict[str, str | int | float | bool]:
    """What a span tells of a node's work: verdicts, counts and reasons, and nothing that was written."""
    told: dict[str, str | int | float | bool] = {}
    candidates = update.get("candidates")
    if isinstance(candidates, list) and candidates:  # `ground` puts another thing there: an overwriting
        told["critiql.candidates"] = len(candidates)
        verdicts = [verdict for candidate in candidates if (verdict := candidate.get("verdict"))]
        findings = sum(len(candidate.get("findings", ())) for candidate in candidates)
        told |= {"critiql.verdict": verdicts[-1]} if verdicts else {}
        told |= {"critiql.findings": findings} if findings else {}
    for field in ("status", "stopped", "confidence"):
        value = update.get(field)
        if isinstance(value, str | float):
            told[f"critiql.{field}"] = value
    return told


def threaded(run: Callable[[S], U], name: str) -> RunnableLambda[S, U]:
    """Blocking work as a node: in a thread under asyncio, stopped within a second when cancelled."""

    async def run_in_thread(state: S) -> U:
        cancelled = threading.Event()
        with cancellable(cancelled):
            try:
                return await asyncio.to_thread(run, state)
            except asyncio.CancelledError:
                cancelled.set()
                raise

    return RunnableLambda(run, afunc=run_in_thread, name=name)


def seconds_left(state: State, context: Context) -> float:
    """What is left of the time of the run; all of it before the run has begun."""
    return context.seconds - (time.time() - state["started"] if "started" in state else 0)
