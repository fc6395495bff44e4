"""Work for a client that may leave before it is done: then it is cancelled, and nobody is answered."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from fastapi import Request, Response

POLL = 0.5
"""Seconds between two looks whether the client is still there."""
LEFT = 499
"""Status of a request whose client left, as servers log it; nobody reads it."""


async def unless_left(request: Request, work: Coroutine[Any, Any, Response]) -> Response:
    """The answer that the work makes, or an empty one as soon as the client has left.

    A stream needs none of this: the server closes it. Without one, nothing tells a route that nobody waits.

    Raises:
        Exception: what the work raises.
    """
    task = asyncio.create_task(work)
    try:
        while not task.done():
            await asyncio.wait([task], timeout=POLL)
            if not task.done() and await request.is_disconnected():
                return Response(status_code=LEFT)
        return task.result()
    finally:
        task.cancel()
