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
    """The call was cancelled, or its deadline passed, before there was anything to return."""


def cancelled() -> bool:
    """Whether the calls of this context shall end."""
    event, end = cancellation.get(), deadline.get()
    return (event is not None and event.is_set()) or (end is not None and time.monotonic() >= end)


def ensure_not_cancelled() -> None:
    """Raise `CallCancelledError` when the calls of this context shall end."""
    if cancelled():
        raise CallCancelledError("The model call was cancelled before it was answered.")


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
