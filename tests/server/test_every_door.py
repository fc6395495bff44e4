"""Each door answers a question of the sample database, and tells its progress before the answer.

The table in docs/DOORS.md names the test of each door.
"""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import openai
import pytest
from langgraph.pregel.remote import RemoteGraph
from langgraph_sdk import get_sync_client
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from scripted_endpoint import script
from served import CUSTOMERS, HOW_MANY, PLAIN, Served, bearer, serving_sample

pytestmark = [pytest.mark.server, pytest.mark.enable_socket]

TOKEN = "a-token-of-the-tests"
BEARER = bearer(TOKEN)
SAID: list[Any] = [{"role": "user", "content": HOW_MANY}]
ASKED: dict[str, Any] = {"messages": SAID, "database": "music"}
MODES: Any = ["custom", "values"]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """`critiql serve` with the sample database, a token, and a model that counts the customers."""
    folder = tmp_path_factory.mktemp("served")
    with serving_sample(folder, environment={"CRITIQL_TOKEN": TOKEN}) as place:
        yield place


@pytest.fixture
def client(served: Served) -> Iterator[Any]:
    with get_sync_client(url=served.url, headers=BEARER, timeout=120) as opened:
        yield opened


def test_the_sdk_and_a_second_turn(client: Any) -> None:
    thread = client.threads.create()["thread_id"]
    modes = [*MODES, "messages-tuple"]
    parts = list(client.runs.stream(thread, "assistant", input=ASKED, context=PLAIN, stream_mode=modes))
    kinds = [part.data["type"] if part.event == "custom" else part.event for part in parts]
    assert kinds.index("grounded") < kinds.index("candidate") < kinds.index("messages")
    assert kinds.count("messages") == 1
    assert parts[-1].data["answer"]["rows"] == [[250]]
    follow_up = {"messages": [{"role": "user", "content": "and as SQL?"}]}
    final = client.runs.wait(thread, "assistant", input=follow_up, context=PLAIN)
    assert len(final["turns"]) == 2
    assert final["question"].startswith(HOW_MANY)


def test_a_remote_graph(client: Any) -> None:
    remote = RemoteGraph("text_to_sql", sync_client=client)
    given: Any = {"question": HOW_MANY, "database": "music"}
    seen: list[str] = []
    final: Any = {}
    for mode, part, *_ in remote.stream(given, context=PLAIN, stream_mode=MODES):
        has_rows = mode == "values" and part.get("rows")
        seen.append(part["type"] if mode == "custom" else "rows" if has_rows else mode)
        final = part if mode == "values" else final
    assert seen.index("grounded") < seen.index("candidate") < seen.index("executed") < seen.index("rows")
    assert final["rows"] == [[250]]


def test_the_openai_client(served: Served) -> None:
    with openai.OpenAI(base_url=f"{served.url}/v1", api_key=TOKEN, max_retries=0) as front_end:
        stream = front_end.chat.completions.create(model="critiql/music", messages=SAID, stream=True)
        deltas = [choice.delta for chunk in stream for choice in chunk.choices]
    thoughts = [(delta.model_extra or {}).get("reasoning_content") or "" for delta in deltas]
    first_word = next(place for place, delta in enumerate(deltas) if delta.content)
    assert "Read the schema: 7 tables." in "".join(thoughts[:first_word])
    assert "1 row" in "".join(thoughts[:first_word])
    text = "".join(delta.content or "" for delta in deltas)
    assert CUSTOMERS in text
    assert "250" in text


def test_a_wrong_key_of_the_openai_client(served: Served) -> None:
    with (
        openai.OpenAI(base_url=f"{served.url}/v1", api_key="wrong", max_retries=0) as stranger,
        pytest.raises(openai.AuthenticationError, match="token is required"),
    ):
        stranger.models.list()


async def answered_by(agent: Client) -> tuple[list[str], Any]:
    """What the tool told before its result, and its result."""
    told: list[str] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        told.append(message or "")

    answered = await agent.call_tool("ask", {"question": HOW_MANY}, progress_callback=note)
    assert answered.structured_content is not None
    return list(told), answered.structured_content["rows"]


@pytest.mark.parametrize("era", ["auto", "legacy"])
async def test_mcp_over_http(served: Served, era: Any) -> None:
    async with httpx.AsyncClient(headers=BEARER, timeout=60) as http:
        transport = streamable_http_client(f"{served.url}/mcp", http_client=http)
        async with Client(transport, mode=era) as agent:
            told, rows = await answered_by(agent)
    assert any(CUSTOMERS in line for line in told)
    assert rows == [[250]]


@pytest.mark.parametrize("era", ["auto", "legacy"])
async def test_mcp_over_standard_input(served: Served, era: Any) -> None:
    arguments = ["mcp", "--db", f"music={served.database}", "--model", served.model]
    program = StdioServerParameters(command=script("critiql"), args=arguments, env=served.environment)
    async with Client(stdio_client(program), mode=era) as agent:
        told, rows = await answered_by(agent)
    assert any(CUSTOMERS in line for line in told)
    assert rows == [[250]]


def test_agent_to_agent(served: Served, client: Any) -> None:
    assistant = client.assistants.search(graph_id="assistant")[0]["assistant_id"]
    card = httpx.get(
        f"{served.url}/.well-known/agent-card.json", params={"assistant_id": assistant}, headers=BEARER
    )
    assert card.json()["name"]
    parts = [{"kind": "text", "text": HOW_MANY}]
    message = {"role": "user", "messageId": "one", "parts": parts}
    call = {"jsonrpc": "2.0", "id": "1", "method": "message/stream", "params": {"message": message}}
    headers = {**BEARER, "Accept": "text/event-stream"}
    with httpx.stream(
        "POST", f"{served.url}/a2a/{assistant}", json=call, headers=headers, timeout=60
    ) as answered:
        lines = [line.removeprefix("data: ") for line in answered.iter_lines() if line.startswith("data: ")]
    results = [json.dumps(json.loads(line)["result"]) for line in lines]
    assert "submitted" in results[0].lower(), results
    told = next(place for place, result in enumerate(results) if CUSTOMERS in result)
    assert "status-update" in results[told]
    assert not any("250" in result for result in results[: told + 1])
    assert "250" in results[-2]
    assert "completed" in results[-1].lower()
