"""Cancelling a model call from outside: an event and a deadline that travel with the context."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Event
from typing import NamedTuple, Protocol

from critiql.tools.models.model import ModelError


class Flag(Protocol):
    """What can be asked whether it is set, as a `threading.Event`."""

    def is_set(self) -> bool:
        """Whether it is set."""
        ...


cancellation: ContextVar[Flag | None] = ContextVar("cancellation", default=None)
"""When this is set, the calls made in this context end."""
deadline: ContextVar[float | None] = ContextVar("deadline", default=None)
"""Moment on `time.monotonic` after which calls made in this context end."""


class _Either(NamedTuple):
    """Set as soon as one of two is."""

    one: Flag
    other: Flag

    def is_set(self) -> bool:
        return self.one.is_set() or self.other.is_set()


class CallCancelledError(ModelError):
    """The call was cancelled before there was anything to return."""


class OutOfTimeError(CallCancelledError):
    """The time of the run was over before there was anything to return."""


def cancelled() -> bool:
    """Whether the calls of this context shall end."""
    event = cancellation.get()
    return (event is not None and event.is_set()) or _is_late()


def ensure_not_cancelled() -> None:
    """Do nothing, unless the calls of this context shall end.

    Raises:
        OutOfTimeError: the deadline passed.
        CallCancelledError: somebody cancelled.
    """
    if not cancelled():
        return
    if _is_late():
        raise OutOfTimeError(
            "The time of the run was over before the model had answered. "
            "Allow more with --set seconds=N, or name a faster model."
        )
    raise CallCancelledError("The model call was cancelled before it was answered.")


def _is_late() -> bool:
    end = deadline.get()
    return end is not None and time.monotonic() >= end


@contextmanager
def cancellable(event: Event) -> Iterator[Event]:
    """Let the event cancel the model calls of this block; an outer one still does."""
    outer = cancellation.get()
    token = cancellation.set(event if outer is None else _Either(event, outer))
    try:
        yield event
    finally:
        cancellation.reset(token)


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """End the model calls of this block after so many seconds; an earlier deadline stays."""
    end, outer = time.monotonic() + seconds, deadline.get()
    token = deadline.set(end if outer is None else min(end, outer))
    try:
        yield
    finally:
        deadline.reset(token)
