"""A stream of a graph in a task of its own, so that whoever leaves it cancels the graph once, and surely.

Servers cancel what a client has left through anyio, which cancels every `await` anew until the block is left.
LangGraph ends its nodes in a task that it awaits while it is cancelled. Cancelled itself before its first
step, that task ends nothing, and the nodes go on (`AsyncPregelLoop.__aexit__`, langgraph 1.2).
https://anyio.readthedocs.io/en/stable/cancellation.html
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import TypeVar

T = TypeVar("T")


async def in_own_task(stream: AsyncIterator[T]) -> AsyncGenerator[T, None]:
    """The items of a stream as they come; leaving this early cancels the stream, and waits for its end.

    Context variables of the caller hold in the stream, as they are when the first item is asked for.

    Raises:
        Exception: what the stream raises.
    """
    items: asyncio.Queue[list[T]] = asyncio.Queue()

    async def read() -> None:
        async for item in stream:
            items.put_nowait([item])

    task = asyncio.create_task(read())
    task.add_done_callback(lambda _: items.put_nowait([]))
    try:
        while item := await items.get():
            yield item[0]
        task.result()
    finally:
        task.cancel()
        await asyncio.wait([task])
