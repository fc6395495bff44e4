"""Checkpoints: a run's state, kept after every node, so that a killed run goes on where it was."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from importlib import import_module
from os import fspath
from pathlib import Path
from typing import Any
from uuid import uuid4

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    BaseCheckpointSaver,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
)

from critiql.tools.exceptions import CHECKPOINT, CritiqlError

DEFAULT_THREAD = "default"
LONGEST_THREAD = 200
"""Characters of a thread's name."""
POSTGRES = ("postgresql://", "postgres://", "postgresql+psycopg://")
"""What the URL of a PostgreSQL begins with; anything else is a file of SQLite."""
ANSWERS = "critiql:answers"
"""Channel under which the answers of models are kept until their node has finished."""
FAILED = {"__error__", "__error_source_node__"}
"""Channels in which LangGraph notes that a node failed."""
TEXT = "critiql:text"
"""Key under which a text stands in a checkpoint."""
MARK = "critiql"
"""Key of our part of a checkpoint's metadata."""
DAMAGE = (ValueError, TypeError, KeyError, AttributeError, IndexError, NotImplementedError)
"""What reading damaged data raises in LangGraph's savers."""


class CheckpointError(CritiqlError):
    """Checkpoints cannot be read or written. The message says what happened, why, and what to do."""

    exit_code = CHECKPOINT


class Checkpoints(BaseCheckpointSaver[Any]):
    """The checkpoints of one thread, for one run at a time, in whichever database.

    Beside what LangGraph keeps it holds a mark of the run, and what models answered in the node that is
    running. That a node failed is not kept: it is run again.
    """

    def __init__(
        self, inner: BaseCheckpointSaver[Any], thread: str, shown: str, errors: tuple[type[Exception], ...]
    ) -> None:
        super().__init__(serde=inner.serde)
        self.thread = thread
        self.shown = shown
        """The place, without secrets."""
        self.mark: dict[str, Any] = {}
        """Goes into the metadata of every checkpoint."""
        self._inner = inner
        self._errors: tuple[type[Exception], ...] = errors
        self._unreadable: tuple[type[Exception], ...] = (*errors, *DAMAGE)
        self._loop = asyncio.get_running_loop()
        self._latest: RunnableConfig = self.start
        self._answers: dict[str, list[dict[str, Any]]] = {}

    @property
    def start(self) -> RunnableConfig:
        """What names the thread to LangGraph."""
        return {"configurable": {"thread_id": self.thread, "checkpoint_ns": ""}}

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """The thread's newest checkpoint."""
        with self._readable():
            found = await self._inner.aget_tuple(config)
            if found is None:
                return None
            if not isinstance(found.metadata, dict):
                msg = "its metadata is no object"
                raise TypeError(msg)
            values = {name: _unpacked(value) for name, value in found.checkpoint["channel_values"].items()}
            writes = found.pending_writes or []
            self._latest = found.config
            self._answers = _by_call([value for _, channel, value in writes if channel == ANSWERS])
            return found._replace(
                checkpoint={**found.checkpoint, "channel_values": values},
                pending_writes=[write for write in writes if write[1] != ANSWERS],
            )

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Keep a checkpoint; the answers of the node before it are not needed any more."""
        values = {name: _packed(value) for name, value in checkpoint["channel_values"].items()}
        marked: Any = {**metadata, MARK: self.mark}
        with self._writable():
            self._latest = await self._inner.aput(
                config, {**checkpoint, "channel_values": values}, marked, new_versions
            )
        self._answers = {}
        return self._latest

    async def aput_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        """Keep what a finished node wrote."""
        if not any(channel in FAILED for channel, _ in writes):
            with self._writable():
                await self._inner.aput_writes(config, writes, task_id, task_path)

    async def forget(self) -> None:
        """Delete everything this thread holds."""
        with self._writable():
            await self._inner.adelete_thread(self.thread)
        self._latest, self._answers = self.start, {}

    def get_next_version(self, current: Any, channel: None) -> Any:
        """As the database's own saver numbers versions."""
        return self._inner.get_next_version(current, channel)

    def with_allowlist(self, extra_allowlist: Any) -> "Checkpoints":  # noqa: ARG002
        """Itself: the serialiser is strict already, and no state holds further types."""
        return self

    def take(self, key: str) -> dict[str, Any] | None:
        """A model's answer that the killed process kept."""
        known = self._answers.get(key)
        return known.pop(0) if known else None

    def keep(self, key: str, answer: dict[str, Any]) -> None:
        """Keep a model's answer; called in the threads of nodes, which run after a first checkpoint."""
        writes = [(ANSWERS, {"call": key, "answer": answer})]
        kept = self.aput_writes(self._latest, writes, uuid4().hex)
        asyncio.run_coroutine_threadsafe(kept, self._loop).result()

    @contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except self._unreadable as error:
            raise CheckpointError(
                f"The checkpoints of thread {self.thread!r} in {self.shown} cannot be read ({said(error)}). "
                "Name another --thread, or put the file back from a copy."
            ) from error

    @contextmanager
    def _writable(self) -> Iterator[None]:
        try:
            yield
        except self._errors as error:
            raise CheckpointError(
                f"The checkpoint cannot be written to {self.shown} ({said(error)}). The run was stopped; "
                "asked again it goes on after the last checkpoint."
            ) from error


@asynccontextmanager
async def open_checkpoints(where: str | Path, thread: str = DEFAULT_THREAD) -> AsyncIterator[Checkpoints]:
    """The checkpoints of a thread, held against other runs until the block ends.

    Args:
        where: a file, made where there is none, or the URL of a PostgreSQL.
        thread: name of the run; the same name goes on.

    Raises:
        CheckpointError: they cannot be read or written, or another run has this thread.
    """
    if not 0 < len(thread) <= LONGEST_THREAD or not thread.isprintable():
        msg = f"A thread's name has 1 to {LONGEST_THREAD} printable characters; {thread!r} is none."
        raise CheckpointError(msg)
    backend = "postgres" if fspath(where).startswith(POSTGRES) else "sqlite"
    async with _opener(backend)(where, thread) as checkpoints:
        yield checkpoints


def _opener(backend: str) -> Callable[[str | Path, str], AbstractAsyncContextManager[Checkpoints]]:
    """What opens checkpoints there."""
    try:
        module: Any = import_module(f"critiql.graphs.checkpoints.{backend}")
    except ModuleNotFoundError as error:
        msg = (
            f"Checkpoints need {error.name}, which is not installed. Run: pip install 'critiql[checkpoints]'"
        )
        raise CheckpointError(msg) from error
    opener: Callable[[str | Path, str], AbstractAsyncContextManager[Checkpoints]] = module.checkpoints
    return opener


def said(error: BaseException) -> str:
    """The first line of an error, or its kind."""
    return str(error).strip().partition("\n")[0] or type(error).__name__


def in_use(thread: str, shown: str) -> CheckpointError:
    """Another run has the thread."""
    return CheckpointError(
        f"Another run is using thread {thread!r} in {shown}. Wait until it ends, or name another --thread."
    )


def _packed(value: Any) -> Any:
    """A text in a dictionary: alone PostgreSQL would keep it as JSON, which has no character 0."""
    return {TEXT: value} if isinstance(value, str) else value


def _unpacked(value: Any) -> Any:
    """The inverse of `_packed`."""
    return value[TEXT] if isinstance(value, dict) and set(value) == {TEXT} else value


def _by_call(kept: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Answers by their call, oldest first."""
    found: dict[str, list[dict[str, Any]]] = {}
    for one in kept:
        found.setdefault(one["call"], []).append(one["answer"])
    return found
