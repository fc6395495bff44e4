"""How a run with checkpoints begins: anew, where a killed one was, or with the answer that is there."""

import json
import os
import time
from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple

from langgraph.checkpoint.base import CheckpointTuple
from pydantic import BaseModel, Field, ValidationError

from critiql.agent.context import Context
from critiql.agent.events import Resumed
from critiql.agent.state import InputState
from critiql.graphs.checkpoints.saver import MARK, CheckpointError, Checkpoints
from critiql.graphs.compiled import Graph

FORMAT = 1
"""Version of the state that checkpoints hold, and of the mark beside it."""


class Mark(BaseModel):
    """Our part of a checkpoint's metadata: whose it is."""

    format: int
    run: str
    """Digest of what makes a run this run."""
    paused: float = Field(default=0, ge=0, allow_inf_nan=False)
    """Seconds between the processes that worked on it."""


class Beginning(NamedTuple):
    """What a run starts with."""

    given: InputState | None
    """The input; None goes on with the thread's own."""
    settings: Context
    state: dict[str, Any]
    """The final state where the thread has finished; else empty."""
    event: Resumed | None = None
    """What the trace says of it; nothing of a run that begins anew."""


async def begin(
    graph: Graph, name: str, given: InputState, settings: Context, checkpoints: Checkpoints
) -> Beginning:
    """Look at what the thread holds; delete it where it belongs to another question.

    Question, database, evidence, draft, graph and settings make a run; one that differs begins anew.

    Raises:
        CheckpointError: the thread cannot be read, or was written by another version.
    """
    found = await checkpoints.aget_tuple(checkpoints.start)
    mark = Mark(format=FORMAT, run=identity(name, given, settings))
    checkpoints.mark = mark.model_dump()
    if found is None:
        return Beginning(given, settings, {})
    old = _mark_of(found, checkpoints)
    if old.run != mark.run:
        await checkpoints.forget()
        return Beginning(given, settings, {})
    mark.paused = old.paused + _since(found.checkpoint["ts"])
    checkpoints.mark = mark.model_dump()
    return await _resumed(
        graph, settings.model_copy(update={"seconds": settings.seconds + mark.paused}), checkpoints
    )


def _mark_of(found: CheckpointTuple, checkpoints: Checkpoints) -> Mark:
    """The mark of a checkpoint of this version."""
    metadata: Any = found.metadata
    try:
        mark = Mark.model_validate(metadata.get(MARK))
    except ValidationError:
        mark = None
    if mark is None or mark.format != FORMAT:
        raise CheckpointError(
            f"Thread {checkpoints.thread!r} in {checkpoints.shown} was written by another version of "
            "Critiql. Finish it with that version, or name another --thread."
        )
    return mark


async def _resumed(graph: Graph, settings: Context, checkpoints: Checkpoints) -> Beginning:
    """Go on at the nodes that did not finish; their time budget is not charged for the pause."""
    snapshot = await graph.aget_state(checkpoints.start)
    tasks = [task.name for task in snapshot.tasks]
    event = Resumed(thread=checkpoints.thread, next=tasks)
    return Beginning(None, settings, {} if tasks else dict(snapshot.values), event)


def identity(name: str, given: InputState, settings: Context) -> str:
    """Digest of everything that makes a run this run."""
    database = given["database"]
    place = os.path.abspath(database) if database and "://" not in database else database  # noqa: PTH100
    parts = [name, {**given, "database": place}, settings.model_dump(mode="json", exclude={"database"})]
    document = json.dumps(parts, sort_keys=True)
    return sha256(document.encode()).hexdigest()


def _since(moment: str) -> float:
    """Seconds from an ISO time until now."""
    return max(time.time() - datetime.fromisoformat(moment).timestamp(), 0.0)
