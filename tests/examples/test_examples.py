"""The examples run as they stand, with scripted models."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
from langchain.agents import create_agent
from langchain_core.language_models import FakeMessagesListChatModel
from langchain_core.messages import AIMessage

from critiql.agent.context import Context
from critiql.agent.events import EVENT
from critiql.graphs.tool import as_tool

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


@pytest.mark.parametrize("way", ["at once", "asynchronous"])
async def test_an_agent_sees_progress_before_the_tools_answer(scripted: Callable[..., Any], way: str) -> None:
    """The sample database, in an agent without approval: the trace is on the agent's own custom stream."""
    scripted(["SELECT COUNT(*) AS customers FROM customers"])
    question = "How many customers are there?"
    call = {"name": "ask_database", "args": {"question": question}, "id": "1"}
    planner = Planner(responses=[AIMessage("", tool_calls=[call]), AIMessage("There are 250.")])
    agent = create_agent(planner, tools=[as_tool(context=PLAIN)])
    given: Any = {"messages": [{"role": "user", "content": question}]}
    modes: Any = ["custom", "updates"]
    if way == "at once":
        parts: list[Any] = list(agent.stream(given, stream_mode=modes))
    else:
        parts = [part async for part in agent.astream(given, stream_mode=modes)]
    seen = [part["type"] if mode == "custom" else next(iter(part)) for mode, part in parts]
    assert seen[0] == "model"
    assert seen[-2:] == ["tools", "model"]
    assert [name for name in seen if name in ("grounded", "candidate", "executed")] == [
        "grounded",
        "candidate",
        "executed",
    ]
    trace = [EVENT.validate_python(part) for mode, part in parts if mode == "custom"]
    assert [event.seq for event in trace] == list(range(len(trace)))
    assert '"rows": [[250]]' in parts[-2][1]["tools"]["messages"][0].content


async def test_a_graph_of_ones_own(scripted: Callable[..., Any], shop: Path) -> None:
    scripted([COUNT])
    desk = example("supervisor").make_desk(PLAIN)
    given = {"question": "How many items are there?", "database": str(shop)}
    modes: Any = ["custom", "values"]
    parts = [part async for part in desk.astream(given, stream_mode=modes, subgraphs=True)]
    kinds = [
        part["type"] if mode == "custom" else "reply" if "reply" in part else "" for _, mode, part in parts
    ]
    assert kinds.index("candidate") < kinds.index("reply"), "the trace comes before the reply"
    found = parts[-1][2]
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
