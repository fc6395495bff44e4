"""Network calls that can be given up at any moment: they run on an event loop in a thread of their own.

A blocking call cannot be ended from outside while it connects, waits for an answer or reads one slowly.
A task of an event loop can, and its connection is closed with it.
"""

import asyncio
import os
import queue
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from contextlib import suppress
from typing import Any, TypeVar

from critiql.tools.models.cancel import cancelled, ensure_not_cancelled

POLL = 0.1
"""Seconds between two looks at the cancellation while waiting."""

T = TypeVar("T")
_loops: dict[int, asyncio.AbstractEventLoop] = {}
"""The loop by process: a fork has the thread of its parent no more."""
_lock = threading.Lock()


class _Loop(asyncio.SelectorEventLoop):
    """A loop whose look-ups of names do not keep the process from ending."""

    async def getaddrinfo(self, host: Any, port: Any, **options: Any) -> Any:
        """As `socket.getaddrinfo`, in a thread that nobody waits for: the system gives up late."""
        found = self.create_future()

        def settle(result: Any, error: Exception | None) -> None:
            if found.done():
                return
            if error is None:
                found.set_result(result)
            else:
                found.set_exception(error)

        def look_up() -> None:
            result, failed = None, None
            try:
                result = socket.getaddrinfo(host, port, **options)
            except (OSError, ValueError) as error:
                failed = error
            with suppress(RuntimeError):  # the loop ended with the process
                self.call_soon_threadsafe(settle, result, failed)

        threading.Thread(target=look_up, daemon=True).start()
        return await found


def event_loop() -> asyncio.AbstractEventLoop:
    """The loop of this process, started when first asked for."""
    with _lock:
        found = _loops.get(os.getpid())
        if found is None:
            found = _loops[os.getpid()] = _Loop()
            threading.Thread(target=found.run_forever, name="critiql-network", daemon=True).start()
        return found


def iterate(stream: AsyncIterator[T]) -> Generator[T, None, None]:
    """The items of an asynchronous stream, as they come, until the calls of this context shall end.

    Closing the iterator before its end closes the stream, too. Context variables of the caller hold in it.

    Raises:
        Exception: what the stream raises.
    """
    items: queue.SimpleQueue[list[T]] = queue.SimpleQueue()

    async def read() -> None:
        async for item in stream:
            items.put([item])

    task = asyncio.run_coroutine_threadsafe(read(), event_loop())
    task.add_done_callback(lambda _: items.put([]))
    try:
        while not cancelled():
            with suppress(queue.Empty):
                item = items.get(timeout=POLL)
                if not item:
                    task.result()
                    return
                yield item[0]
    finally:
        task.cancel()


def wait_for(call: Callable[[], Awaitable[T]]) -> T:
    """The result of an asynchronous call.

    Raises:
        OutOfTimeError, CallCancelledError: the calls of this context shall end.
        Exception: what the call raises.
    """

    async def once() -> AsyncIterator[T]:
        yield await call()

    for result in iterate(once()):
        return result
    ensure_not_cancelled()
    msg = "the call ended without a result"
    raise RuntimeError(msg)
