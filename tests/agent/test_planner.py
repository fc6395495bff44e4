"""A planner behind an OpenAI-compatible endpoint calls detector, critic and compiler: as recorded, and anew.

The exchange was recorded with the default model behind `python -m llama_cpp.server`. To record it again:
`pytest -m slow tests/agent/test_planner.py --update-snapshots`.
"""

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_core.tools import BaseTool
from langchain_openai import ChatOpenAI
from llama_server import start, url_of
from pydantic import SecretStr

from critiql.agent.context import Context
from critiql.agent.toolbox import toolbox
from critiql.tools.database.engine import Database
from critiql.tools.database.open import open_database
from critiql.tools.database.sample.build import sample_database
from critiql.tools.models.files.store import resolve
from critiql.tools.models.model import ModelError

RECORDED = Path(__file__).parents[1] / "fixtures/agent/planner.json"
PORT = 18127
URL = url_of(PORT)

QUESTION = "Which artists are from Japan?"
WRONG = "SELECT name FROM artists WHERE country = 'japan'"
MENDED = "SELECT name FROM artists WHERE country = 'Japan'"
PLAN = {
    "check_sql": f"Question: {QUESTION}\nSQL: {WRONG}\nCheck this query.",
    "read_p_true": "Mend the query as the check says, change nothing else, and let the critic read it.",
    "compile_sql": "Show the mended query as steps.",
}


class Called(NamedTuple):
    """One call that the planner made."""

    tool: str
    arguments: dict[str, Any]
    answer: str


class Recorder(httpx.HTTPTransport):
    """Passes requests on and keeps what was said."""

    def __init__(self) -> None:
        super().__init__()
        self.turns: list[dict[str, Any]] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = super().handle_request(request)
        response.read()
        self.turns.append({"request": json.loads(request.content), "response": response.json()})
        return response


class Replay(httpx.BaseTransport):
    """Answers as recorded, and only what was asked then."""

    def __init__(self, turns: list[dict[str, Any]]) -> None:
        self.turns = iter(turns)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        turn = next(self.turns)
        assert json.loads(request.content) == turn["request"], "record the exchange anew"
        return httpx.Response(200, json=turn["response"])


@pytest.fixture
def database() -> Iterator[Database]:
    with closing(open_database(sample_database())) as opened:
        yield opened


def tools_of(database: Database, critic: str) -> dict[str, BaseTool]:
    tools = toolbox(database, Context(model=critic, llm_critic="raw"))
    return {tool.name: tool for tool in tools if tool.name in PLAN}


def consult(transport: httpx.BaseTransport, tools: dict[str, BaseTool]) -> list[Called]:
    """Let the planner write the arguments of each tool of the plan, told what those before said."""
    with httpx.Client(transport=transport, timeout=600) as client:
        planner = ChatOpenAI(
            model="planner",
            base_url=URL,
            api_key=SecretStr("none"),
            temperature=0,
            max_completion_tokens=200,
            max_retries=0,
            http_client=client,
        )
        messages: list[Any] = [SystemMessage("You call tools. You copy queries and questions exactly.")]
        called: list[Called] = []
        for name, task in PLAN.items():
            messages.append(HumanMessage(task))
            said = planner.bind_tools(list(tools.values()), tool_choice=name).invoke(messages)
            assert isinstance(said, AIMessage)
            assert not said.invalid_tool_calls
            for call in said.tool_calls:
                answer = json.loads(tools[call["name"]].invoke(call["args"]))["data"]
                called.append(Called(call["name"], call["args"], answer))
                # as text: llama_cpp.server refuses an assistant's message without content
                arguments = json.dumps(call["args"])
                messages += [AIMessage(f"{call['name']}({arguments})"), HumanMessage(f"It says: {answer}")]
    return called


def assert_right(called: list[Called]) -> None:
    assert [call.tool for call in called] == list(PLAN)
    check, critic, steps = called
    assert check.arguments == {"sql": WRONG, "question": QUESTION}
    assert check.answer == "value_error: artists.country holds no 'japan'. Use 'Japan'."
    assert critic.arguments == {"sql": MENDED, "question": QUESTION}
    assert re.fullmatch(r"P\(True\) [01]\.\d{3}, verdict accepted", critic.answer)
    assert steps.arguments == {"sql": MENDED}
    assert steps.answer == "res = scan(artists)\n    .where(country = 'Japan')\n    .select(name)"


def test_a_planner_calls_detector_critic_and_compiler_as_recorded(
    database: Database, scripted: Callable[..., Any]
) -> None:
    recorded = json.loads(RECORDED.read_text(encoding="utf-8"))
    scripted(truths=[recorded["p_true"]])
    assert_right(consult(Replay(recorded["turns"]), tools_of(database, "scripted")))


@pytest.fixture
def server() -> Iterator[subprocess.Popen[bytes]]:
    try:
        model = resolve("qwen2.5-coder-1.5b-instruct")
    except ModelError as error:
        pytest.skip(str(error))
    running = start(model, "planner", PORT, "--n_ctx", "2048")
    yield running
    running.terminate()
    running.wait(20)


@pytest.mark.model
@pytest.mark.server
@pytest.mark.slow
@pytest.mark.enable_socket
def test_a_planner_on_a_real_server_calls_them(
    server: subprocess.Popen[bytes], database: Database, request: pytest.FixtureRequest
) -> None:
    recorder = Recorder()
    called = consult(recorder, tools_of(database, "qwen2.5-coder-1.5b-instruct"))
    said = re.search(r"P\(True\) ([\d.]+)", called[1].answer)
    if said and request.config.getoption("--update-snapshots"):
        kept = {"p_true": float(said[1]), "turns": recorder.turns}
        RECORDED.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    assert_right(called)
    assert server.poll() is None
