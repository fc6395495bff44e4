"""The Python interface: ask a question, or stream the trace of asking it."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

from langchain_core.runnables import RunnableConfig

from critiql.agent.answer import Answer
from critiql.agent.context import Context
from critiql.agent.node import JOURNAL
from critiql.agent.redaction import redacted, redacted_answer
from critiql.agent.state import InputState
from critiql.graphs.catalogue import graph as graph_of
from critiql.graphs.checkpoints.resume import begin
from critiql.graphs.checkpoints.saver import DEFAULT_THREAD, open_checkpoints
from critiql.tools.database.server_url import without_password

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
    checkpoint: str | Path = "",
    thread: str = DEFAULT_THREAD,
    redact: bool = False,
) -> AsyncIterator[dict[str, Any] | Answer]:
    """Ask a question; yields each event of the trace as it happens, and the `Answer` last.

    With a `checkpoint`, a file or the URL of a PostgreSQL, a killed run that is asked again on its `thread`
    goes on where it was; docs/CHECKPOINTS.md says when.

    With `redact`, events and candidates hold no cell and no literal (agent/redaction.py), and what a model
    writes is not shown as it comes. The answer's own query, rows and words stay.

    Raises:
        QuestionError, DatabaseError, ModelError, UnknownGraphError, CheckpointError: the message says what
            to do.
    """
    started = time.perf_counter()
    events: list[dict[str, Any]] = []
    state: Any = {}
    dialect = "sqlite"
    named = str(database) or (context or Context()).database
    settings = (context or Context()).model_copy(update={"database": named})
    given: InputState = {
        "question": question,
        "database": without_password(named),
        "evidence": evidence,
        "draft": draft,
    }
    chunk: Any
    async with aclosing(_parts(graph, given, settings, checkpoint, thread)) as parts:
        async for mode, chunk in parts:
            if mode == "values":
                state = chunk
                continue
            dialect = chunk.get("dialect", dialect)
            event = redacted(chunk, dialect) if redact else chunk
            if chunk["type"] != "writing":
                events.append(event)
            if chunk["type"] != "writing" or not redact:
                yield event
    answer = Answer.of(state, graph, time.perf_counter() - started, events)
    yield redacted_answer(answer, dialect) if redact else answer


async def _parts(
    name: str, given: InputState, settings: Context, checkpoint: str | Path, thread: str
) -> AsyncGenerator[tuple[str, Any], None]:
    """What the graph streams, each part after its mode; with checkpoints, from where the thread stands."""
    graph = graph_of(name)
    config: RunnableConfig = {"recursion_limit": recursion_limit(settings)}
    modes: list[Any] = ["custom", "values"]
    part: Any
    if not checkpoint:
        async for part in graph.astream(given, config, context=settings, stream_mode=modes):
            yield part
        return
    async with open_checkpoints(checkpoint, thread) as checkpoints:
        durable = graph.copy(update={"checkpointer": checkpoints})
        start = await begin(durable, name, given, settings, checkpoints)
        config["configurable"] = {"thread_id": thread, JOURNAL: checkpoints}
        if start.event:
            yield "custom", start.event.model_dump(mode="json")
        if start.state:
            yield "values", start.state
            return
        async for part in durable.astream(
            start.given, config, context=start.settings, stream_mode=modes, durability="sync"
        ):
            yield part


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
