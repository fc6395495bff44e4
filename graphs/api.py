"""The Python interface: ask a question, or stream the trace of asking it."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from critiql.agent.answered import Answer
from critiql.agent.context import Context
from critiql.agent.state import InputState
from critiql.graphs.catalogue import graph as graph_of

STEPS_PER_GENERATION = 5
"""Nodes that one generation may pass through."""


def recursion_limit(context: Context) -> int:
    """Steps after which a run is in error; LangGraph's own, 10007, would let a loop spin for hours."""
    return 10 + STEPS_PER_GENERATION * 2 * context.z


async def stream(
    question: str,
    database: str | Path = "",
    *,
    graph: str = "text_to_sql",
    context: Context | None = None,
    evidence: str = "",
    draft: str = "",
) -> AsyncIterator[dict[str, Any] | Answer]:
    """Ask a question; yields each event of the trace as it happens, and the `Answer` last.

    Raises:
        QuestionError, DatabaseError, ModelError, UnknownGraphError: the message says what to do.
    """
    settings = context or Context()
    started = time.perf_counter()
    events: list[dict[str, Any]] = []
    state: Any = {}
    given: InputState = {
        "question": question,
        "database": str(database),
        "evidence": evidence,
        "draft": draft,
    }
    chunk: Any
    async for mode, chunk in graph_of(graph).astream(
        given,
        {"recursion_limit": recursion_limit(settings)},
        context=settings,
        stream_mode=["custom", "values"],
    ):
        if mode == "values":
            state = chunk
            continue
        if chunk["type"] != "writing":
            events.append(chunk)
        yield chunk
    yield Answer.of(state, graph, time.perf_counter() - started, events)


async def aask(question: str, database: str | Path = "", **options: Any) -> Answer:
    """Ask a question and wait for the answer; the options are those of `stream`."""
    answer: Answer | None = None
    async for item in stream(question, database, **options):
        if isinstance(item, Answer):
            answer = item
    assert answer is not None
    return answer


def ask(question: str, database: str | Path = "", **options: Any) -> Answer:
    """Ask a question from code that is not asynchronous."""
    return asyncio.run(aask(question, database, **options))
