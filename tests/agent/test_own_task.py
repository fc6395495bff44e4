"""A stream in a task of its own: its items, its errors, and its end when somebody leaves."""

import asyncio
import threading
from collections.abc import AsyncGenerator
from contextlib import aclosing
from contextvars import ContextVar
from typing import TypedDict

import anyio
import pytest
from langgraph.graph import StateGraph

from critiql.agent.node import threaded
from critiql.agent.own_task import in_own_task
from critiql.tools.models.cancel import cancelled

said: ContextVar[str] = ContextVar("said", default="nothing")


class Work(TypedDict):
    """The state of a graph of one node."""

    done: bool


async def numbers(breaks: bool = False) -> AsyncGenerator[str, None]:
    yield "one"
    yield said.get()
    if breaks:
        msg = "it broke"
        raise ValueError(msg)


async def test_items_and_context_variables_come_through() -> None:
    token = said.set("two")
    assert [item async for item in in_own_task(numbers())] == ["one", "two"]
    said.reset(token)


async def test_an_error_comes_after_the_items_before_it() -> None:
    items = in_own_task(numbers(breaks=True))
    assert [await anext(items), await anext(items)] == ["one", "nothing"]
    with pytest.raises(ValueError, match="it broke"):
        await anext(items)


class Node:
    """A graph whose only node works in a thread until its work is cancelled."""

    def __init__(self) -> None:
        self.begun, self.ended, self.gone = asyncio.Event(), threading.Event(), threading.Event()
        self.loop = asyncio.get_running_loop()
        graph = StateGraph(Work)
        graph.add_node("work", threaded(self.work, "work"))
        graph.set_entry_point("work")
        self.stream = in_own_task(graph.compile().astream({"done": False}, stream_mode=["custom", "values"]))

    def work(self, _: Work) -> Work:
        self.loop.call_soon_threadsafe(self.begun.set)
        for _attempt in range(500):
            if cancelled():
                self.ended.set()
                break
            self.gone.wait(0.01)
        return {"done": True}

    async def read(self) -> None:
        async with aclosing(self.stream) as parts:
            async for _ in parts:
                pass


async def test_a_scope_that_is_left_ends_the_node() -> None:
    """As a server's does when a client leaves."""
    node = Node()
    async with anyio.create_task_group() as group:
        group.start_soon(node.read)
        await node.begun.wait()
        group.cancel_scope.cancel()
    assert await asyncio.to_thread(node.ended.wait, 2)


async def test_a_task_that_is_cancelled_ends_the_node() -> None:
    node = Node()
    task = asyncio.create_task(node.read())
    await node.begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(node.ended.wait, 2)


async def test_closing_it_early_ends_the_node() -> None:
    node = Node()
    async with aclosing(node.stream) as parts:
        await anext(parts)
        await node.begun.wait()
    assert await asyncio.to_thread(node.ended.wait, 2)
