"""A client that leaves while a whole answer is made for it."""

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest
from fastapi import Request, Response

from critiql.server.leaving import LEFT, unless_left


def request_of(left: asyncio.Event) -> Request:
    """A request whose client leaves when the event is set."""

    async def receive() -> MutableMapping[str, Any]:
        await left.wait()
        return {"type": "http.disconnect"}

    return Request({"type": "http", "method": "POST", "path": "/", "headers": []}, receive)


async def test_who_stays_gets_the_answer() -> None:
    async def work() -> Response:
        await asyncio.sleep(0.01)
        return Response("done")

    assert (await unless_left(request_of(asyncio.Event()), work())).body == b"done"


async def test_what_fails_says_so() -> None:
    async def work() -> Response:
        raise ValueError("it failed")

    with pytest.raises(ValueError, match="it failed"):
        await unless_left(request_of(asyncio.Event()), work())


async def test_who_leaves_cancels_the_work() -> None:
    left, cancelled = asyncio.Event(), asyncio.Event()

    async def work() -> Response:
        left.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise
        return Response("done")

    answered = await asyncio.wait_for(unless_left(request_of(left), work()), 5)
    assert answered.status_code == LEFT
    await asyncio.wait_for(cancelled.wait(), 1)
