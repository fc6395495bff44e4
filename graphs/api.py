"""The Python interface: ask a question, or stream the trace of asking it."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from contextvars import copy_context
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

from langchain_core.runnables import RunnableConfig
from langgraph.errors import GraphRecursionError
from pydantic import ValidationError

from critiql.agent.answer import Answer
from critiql.agent.context import Context
from critiql.agent.events import EVENT, Answered, AnyEvent, Event, Failed, stamped
from critiql.agent.graph_contexts import narrowed
from critiql.agent.models import GivenModels, with_models
from critiql.agent.node import JOURNAL, MODELS
from critiql.agent.own_task import in_own_task
from critiql.agent.redaction import redacted, redacted_answer
from critiql.agent.state import InputState
from critiql.graphs.catalogue import graph as graph_of
from critiql.graphs.checkpoints.resume import begin
from critiql.graphs.checkpoints.saver import DEFAULT_THREAD, open_checkpoints
from critiql.tools.database.server_url import without_password
from critiql.tools.exceptions import CritiqlError
from critiql.tools.models.given import Given
from critiql.tools.telemetry import start_if_asked

T = TypeVar("T")

FAILURES = (CritiqlError, ValidationError, GraphRecursionError)
"""What a run can fail by and its trace ends with; a defect is raised without a last event."""
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
    models: GivenModels | None = None,
    evidence: str = "",
    draft: str = "",
    checkpoint: str | Path = "",
    thread: str = DEFAULT_THREAD,
    redact: bool = False,
) -> AsyncIterator[AnyEvent | Answer]:
    """Ask a question; yields each event of the trace as it happens, and the `Answer` last.

    The last event is of type `answered`, or `error` where the run fails by one of `FAILURES`; the error is
    then raised.
    `seq` counts what is yielded, from 0 without gaps.

    `models` gives models as objects, by role (`actor`, `llm_critic`, ..., or `model` for all): a chat model
    of LangChain, or the name of a model. One without log-probabilities gives the LLM critic no reading.

    With a `checkpoint`, a file or the URL of a PostgreSQL, a killed run that is asked again on its `thread`
    goes on where it was; docs/CHECKPOINTS.md says when.

    With `redact`, events and candidates hold no cell and no literal (agent/redaction.py), and what a model
    writes is not shown as it comes. The answer's own query, rows and words stay. LangSmith is told nothing.

    Raises:
        QuestionError, DatabaseError, ModelError, UnknownGraphError, CheckpointError: the message says what
            to do.
    """
    start_if_asked()
    run = _Run(graph, redact)
    named = str(database) or (context or Context()).database
    try:
        own = narrowed(graph, context or Context()).model_copy(update={"database": named})
        settings, objects = with_models(own, models)
        given: InputState = {
            "question": question,
            "database": without_password(named),
            "evidence": evidence,
            "draft": draft,
        }
        found = _parts(graph, given, settings, objects, checkpoint, thread)
        async with aclosing(in_own_task(_untraced(found) if redact else found)) as parts:
            async for mode, chunk in parts:
                if mode == "values":
                    run.state = chunk
                elif event := run.take(chunk):
                    yield event
    except FAILURES as error:
        yield run.failed(error)
        raise
    if last := run.missing_end():
        yield last
    yield run.answer()


class _Run:
    """What has been seen of a run: its state, and its trace as the caller gets it."""

    def __init__(self, graph: str, redact: bool) -> None:
        self.graph = graph
        self.redact = redact
        self.state: Any = {}
        self.dialect = "sqlite"
        self.events: list[dict[str, Any]] = []
        self.started = time.perf_counter()
        self.numbers = count()

    def take(self, told: dict[str, Any]) -> AnyEvent | None:
        """The next event; None for one that is not to be shown."""
        self.dialect = told.get("dialect", self.dialect)
        if self.redact and told["type"] == "writing":
            return None
        shown = redacted(told, self.dialect) if self.redact else told
        shown = {**shown, "seq": next(self.numbers)}
        if shown["type"] != "writing":
            self.events.append(shown)
        return EVENT.validate_python(shown)

    def failed(self, error: Exception) -> AnyEvent:
        """The last event of a run without an answer."""
        code = error.exit_code if isinstance(error, CritiqlError) else 1
        return self._own(Failed(kind=type(error).__name__, message=str(error), exit_code=code))

    def missing_end(self) -> AnyEvent | None:
        """The last event, where the graph was finished before this run and tells nothing."""
        if self.events and self.events[-1]["type"] == "answered":
            return None
        found = self.state
        stopped = found["stopped"] or "unchecked"
        own = {"id": found.get("incumbent"), "sql": found.get("sql", ""), "status": found["status"]}
        return self._own(Answered(**own, stopped=stopped))

    def answer(self) -> Answer:
        """The answer with everything that led to it."""
        answer = Answer.of(self.state, self.graph, time.perf_counter() - self.started, self.events)
        return redacted_answer(answer, self.dialect) if self.redact else answer

    def _own(self, event: Event) -> AnyEvent:
        """An event that no node told."""
        taken = self.take(stamped(event, 0).model_dump(mode="json"))
        assert taken is not None
        return taken


async def _untraced(parts: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
    """The same parts, made while LangSmith's tracing is off, whatever the environment says."""
    from langsmith import tracing_context

    async with aclosing(parts):
        while True:
            with tracing_context(enabled=False):
                try:
                    part = await anext(parts)
                except StopAsyncIteration:
                    return
            yield part


async def _parts(
    name: str, given: InputState, settings: Context, models: Given, checkpoint: str | Path, thread: str
) -> AsyncGenerator[tuple[str, Any], None]:
    """What the graph streams, each part after its mode; with checkpoints, from where the thread stands."""
    graph = graph_of(name)
    own: dict[str, Any] = {MODELS: models} if models else {}
    config: RunnableConfig = {"recursion_limit": recursion_limit(settings), "configurable": own}
    modes: list[Any] = ["custom", "values"]
    part: Any
    if not checkpoint:
        async for part in graph.astream(given, config, context=settings, stream_mode=modes):
            yield part
        return
    async with open_checkpoints(checkpoint, thread) as checkpoints:
        durable = graph.copy(update={"checkpointer": checkpoints})
        start = await begin(durable, name, given, settings, checkpoints)
        config["configurable"] = {**own, "thread_id": thread, JOURNAL: checkpoints}
        if start.event:
            yield "custom", stamped(start.event, 0).model_dump(mode="json")
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
    """Ask a question from code that is not asynchronous; also in a notebook, whose cells run in a loop."""
    return wait(aask(question, database, **options))


def wait(work: Coroutine[Any, Any, T]) -> T:
    """The result of asynchronous work, in a thread of its own where a loop runs in this one already."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(copy_context().run, asyncio.run, work).result()
