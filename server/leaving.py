"""Work for a client that may leave before it is done: then it is cancelled, and nobody is answered."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from fastapi import Request, Response

T = TypeVar("T")
LEFT = 499
"""Status of a request whose client left, as servers log it; nobody reads it."""


async def unless_left(request: Request, work: Coroutine[Any, Any, T]) -> T | Response:
    """What the work makes, or an empty answer as soon as the client has left.

    A stream needs none of this: the server closes it. Without one, nothing tells a route that nobody waits.

    Args:
        request: its body has been read.
        work: what is to be done for it.

    Raises:
        Exception: what the work raises.
    """
    task, leaving = asyncio.create_task(work), asyncio.create_task(left(request))
    try:
        await asyncio.wait([task, leaving], return_when=asyncio.FIRST_COMPLETED)
        return task.result() if task.done() else Response(status_code=LEFT)
    finally:
        task.cancel()
        leaving.cancel()


async def left(request: Request) -> None:
    """Wait until the client leaves.

    `Request.is_disconnected` does not see it here: it gives a message no time, and middleware takes some.
    """
    while (await request.receive())["type"] != "http.disconnect":
        pass
