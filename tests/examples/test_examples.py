"""The examples run as they stand, with scripted models."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
from langchain_core.language_models import FakeMessagesListChatModel
from langchain_core.messages import AIMessage

from critiql.agent.context import Context

FOLDER = Path(__file__).parents[2] / "examples"
COUNT = "SELECT COUNT(*) FROM item"
PLAIN = Context(model="scripted", llm_critic="off")


def example(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Planner(FakeMessagesListChatModel):
    """A model that calls the tool, then says what it found."""

    def bind_tools(self, tools: Any, **options: Any) -> "Planner":
        return self


def test_an_agent_asks_once_it_may(
    scripted: Callable[..., Any], shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scripted([COUNT])
    call = {"name": "ask_database", "args": {"question": "How many items are there?"}, "id": "1"}
    planner = Planner(responses=[AIMessage("", tool_calls=[call]), AIMessage("There are 3.")])
    module = example("agent_with_approval")
    agent = module.make_agent(planner, str(shop), context=PLAIN)
    assert module.ask(agent, "How many items?") == "There are 3."
    assert "How many items are there?" in capsys.readouterr().err
    messages = agent.get_state(module.CONFIG).values["messages"]
    told = next(message for message in messages if message.type == "tool")
    assert '"rows": [[3]]' in told.content
    assert told.artifact["sql"] == COUNT


async def test_a_graph_of_ones_own(scripted: Callable[..., Any], shop: Path) -> None:
    scripted([COUNT])
    desk = example("supervisor").make_desk(PLAIN)
    found = await desk.ainvoke({"question": "How many items are there?", "database": str(shop)})
    assert found["sql"] == COUNT
    assert "3" in found["reply"]
    greeted = await desk.ainvoke({"question": "Ada"})
    assert greeted["reply"].startswith("Hello")


async def test_a_web_application_of_ones_own(scripted: Callable[..., Any], shop: Path) -> None:
    scripted([COUNT])
    app = example("sse_app").app
    app.state.database, app.state.context = str(shop), PLAIN
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        answered = await client.get("/ask", params={"question": "How many items are there?"})
    events = [line for line in answered.text.splitlines() if line.startswith("event: ")]
    assert events[-1] == "event: answer"
    assert events[0] == "event: trace"
