"""Every door of a running server over loopback, with a scripted model behind it."""

import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import openai
import pytest
from langgraph.pregel.remote import RemoteGraph
from langgraph_sdk import get_sync_client
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from scripted_endpoint import free_port, process, script, scripted_endpoint

from critiql.cli.screen import exit_codes

pytestmark = [pytest.mark.server, pytest.mark.enable_socket]

COUNT = "SELECT COUNT(*) FROM item"
TOKEN = "a-token-of-the-tests"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
ASKED = {"messages": [{"role": "user", "content": "How many items are there?"}], "database": "shop"}
PLAIN = {"llm_critic": "off"}


class Served(NamedTuple):
    """A running server."""

    url: str
    port: int
    model: str
    database: Path
    environment: dict[str, str]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """`critiql serve` with the shop, a token, and a model that always writes the same query."""
    folder = tmp_path_factory.mktemp("served")
    database = folder / "shop.sqlite"
    make_shop(database)
    port = free_port()
    environment = {**os.environ, "XDG_CACHE_HOME": str(folder), "CRITIQL_TOKEN": TOKEN, "NO_COLOR": "1"}
    with scripted_endpoint(COUNT, folder / "llmock.log") as model:
        arguments = ["--db", f"shop={database}", "--port", str(port), "--model", model]
        command = [script("critiql"), "serve", *arguments]
        url = f"http://127.0.0.1:{port}"
        with process(command, folder / "serve.log", f"{url}/ok", env=environment, cwd=folder):
            yield Served(url, port, model, database, environment)


def make_shop(path: Path) -> None:
    import sqlite3

    connection = sqlite3.connect(path)
    connection.executescript(
        "CREATE TABLE item (id INTEGER PRIMARY KEY, title TEXT, price REAL);"
        "INSERT INTO item VALUES (1, 'chair', 20.0), (2, 'table', 80.0), (3, 'lamp', 15.5);"
    )
    connection.close()


@pytest.fixture
def client(served: Served) -> Iterator[Any]:
    with get_sync_client(url=served.url, headers=BEARER, timeout=120) as opened:
        yield opened


def test_the_sdk_sees_progress_before_the_answer_and_a_second_turn(client: Any) -> None:
    thread = client.threads.create()["thread_id"]
    kinds: list[str] = []
    modes = ["custom", "values", "messages-tuple"]
    for part in client.runs.stream(thread, "assistant", input=ASKED, context=PLAIN, stream_mode=modes):
        kinds.append(part.data["type"] if part.event == "custom" else part.event)
        last = part.data
    assert kinds.index("candidate") < kinds.index("messages")
    assert kinds.count("messages") == 1
    assert last["answer"]["rows"] == [[3]]
    chart = {"messages": [{"role": "user", "content": "and as SQL?"}]}
    final = client.runs.wait(thread, "assistant", input=chart, context=PLAIN)
    assert len(final["turns"]) == 2
    assert final["question"].startswith("How many items are there?")


def test_approval_over_the_sdk(client: Any) -> None:
    thread = client.threads.create()["thread_id"]
    first = client.runs.wait(thread, "assistant", input=ASKED, context={**PLAIN, "approve": True})
    request = first["__interrupt__"][0]["value"]
    assert request["action_requests"][0]["args"] == {"sql": COUNT}
    decided = {"resume": {"decisions": [{"type": "approve"}]}}
    final = client.runs.wait(thread, "assistant", command=decided, context={**PLAIN, "approve": True})
    assert final["answer"]["rows"] == [[3]]


def test_two_clients_on_one_thread(client: Any) -> None:
    thread = client.threads.create()["thread_id"]
    done: list[Any] = []

    def run() -> None:
        done.append(client.runs.wait(thread, "assistant", input=ASKED, context=PLAIN))

    threads = [threading.Thread(target=run) for _ in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(120)
    assert [final["answer"]["rows"] for final in done] == [[[3]], [[3]]]
    assert len(client.threads.get_state(thread)["values"]["turns"]) == 2


def test_a_remote_graph(client: Any) -> None:
    remote = RemoteGraph("text_to_sql", sync_client=client)
    given: Any = {"question": "How many items are there?", "database": "shop"}
    assert remote.invoke(given, context=PLAIN)["rows"] == [[3]]


def test_the_network_names_no_path(client: Any) -> None:
    given = {"question": "How many items are there?", "database": "/etc/passwd"}
    parts = list(client.runs.stream(None, "text_to_sql", input=given, context=PLAIN, stream_mode=["values"]))
    assert parts[-1].event == "error"
    assert "root:" not in json.dumps([part.data for part in parts])
    final = client.runs.wait(None, "assistant", input={**ASKED, "database": "/etc/passwd"}, context=PLAIN)
    assert final["problem"]["kind"] == "database"


def test_the_openai_client(served: Served) -> None:
    front_end = openai.OpenAI(base_url=f"{served.url}/v1", api_key=TOKEN, max_retries=0)
    with front_end:
        messages: Any = ASKED["messages"]
        stream = front_end.chat.completions.create(model="critiql/shop", messages=messages, stream=True)
        deltas = [choice.delta for chunk in stream for choice in chunk.choices]
        thoughts = [bool((delta.model_extra or {}).get("reasoning_content")) for delta in deltas]
        assert thoughts.index(True) < next(place for place, delta in enumerate(deltas) if delta.content)
        assert COUNT in "".join(delta.content or "" for delta in deltas)
    with (
        openai.OpenAI(base_url=f"{served.url}/v1", api_key="wrong", max_retries=0) as stranger,
        pytest.raises(openai.AuthenticationError, match="token is required"),
    ):
        stranger.models.list()


@pytest.mark.parametrize("era", ["auto", "legacy"])
async def test_mcp_over_http(served: Served, era: Any) -> None:
    from mcp.client.streamable_http import streamable_http_client

    told: list[str | None] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        told.append(message)

    async with httpx.AsyncClient(headers=BEARER, timeout=60) as http:
        transport = streamable_http_client(f"{served.url}/mcp", http_client=http)
        async with Client(transport, mode=era) as agent:
            question = {"question": "How many items are there?"}
            answered = await agent.call_tool("ask", question, progress_callback=note)
    assert answered.structured_content is not None
    assert answered.structured_content["rows"] == [[3]]
    assert told


@pytest.mark.parametrize("era", ["auto", "legacy"])
async def test_mcp_over_standard_input(served: Served, era: Any) -> None:
    arguments = ["mcp", "--db", f"shop={served.database}", "--model", served.model]
    program = StdioServerParameters(command=script("critiql"), args=arguments, env=served.environment)
    async with Client(stdio_client(program), mode=era) as agent:
        answered = await agent.call_tool("ask", {"question": "How many items are there?"})
    assert answered.structured_content is not None
    assert answered.structured_content["rows"] == [[3]]


def test_agent_to_agent(served: Served, client: Any) -> None:
    assistant = client.assistants.search(graph_id="assistant")[0]["assistant_id"]
    card = httpx.get(
        f"{served.url}/.well-known/agent-card.json", params={"assistant_id": assistant}, headers=BEARER
    )
    assert card.json()["name"]
    message = {
        "role": "user",
        "messageId": "one",
        "parts": [{"kind": "text", "text": "Which tables are there?"}],
    }
    call = {"jsonrpc": "2.0", "id": "1", "method": "message/send", "params": {"message": message}}
    answered = httpx.post(f"{served.url}/a2a/{assistant}", json=call, headers=BEARER, timeout=60).json()
    assert "item: 3 columns, 3 rows" in json.dumps(answered)


def ask(served: Served, *more: str) -> dict[str, Any]:
    command = [script("critiql"), "ask", "How many items are there?", "--db", str(served.database), "--json"]
    chosen = ["--model", served.model, "--set", "llm_critic=off", *more]
    done = subprocess.run(
        [*command, *chosen], env=served.environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_shell_finds_the_server(served: Served) -> None:
    assert ask(served)["database"] == str(served.database) or "shop" in ask(served)["database"]
    running = Path(served.environment["XDG_CACHE_HOME"]) / "critiql/server/running.json"
    assert running.stat().st_mode & 0o077 == 0, "nobody else reads the token"
    hidden = running.with_name("hidden.json")
    shutil.copy(running, hidden)
    told = json.loads(running.read_text())
    try:
        running.write_text(json.dumps({**told, "token": "wrong"}))
        command = [
            script("critiql"),
            "ask",
            "How many?",
            "--db",
            str(served.database),
            "--model",
            served.model,
        ]
        refused = subprocess.run(command, env=served.environment, capture_output=True, text=True, check=False)
        assert refused.returncode == exit_codes.MODEL
        assert "token is required" in refused.stderr
        assert ask(served, "--local")["rows"] == [[3]]
    finally:
        hidden.replace(running)


def test_a_busy_port(served: Served) -> None:
    command = [script("critiql"), "serve", "--port", str(served.port)]
    done = subprocess.run(command, env=served.environment, capture_output=True, text=True, check=False)
    assert done.returncode == exit_codes.USAGE
    assert f"Port {served.port}" in done.stderr
    assert "--port" in done.stderr


def test_beyond_this_machine_a_token_is_required() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "CRITIQL_TOKEN"}
    command = [script("critiql"), "serve", "--host", "0.0.0.0", "--port", str(free_port())]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == exit_codes.USAGE
    assert "token is required" in done.stderr


def test_bad_visitors_and_after_them_a_good_one(served: Served) -> None:
    def parts() -> Iterator[bytes]:
        for _ in range(100):
            yield b"x" * 100_000

    for path in ("/runs/wait", "/v1/chat/completions", "/mcp", "/threads"):
        answered = httpx.post(f"{served.url}{path}", content=b"x" * 10_000_000, headers=BEARER)
        assert answered.status_code == 413, path
        chunked = httpx.post(f"{served.url}{path}", content=parts(), headers=BEARER)
        assert chunked.status_code == 413, path
        assert httpx.post(f"{served.url}{path}").status_code == 401, path
        rebound = httpx.post(f"{served.url}{path}", headers={**BEARER, "Host": "attacker.example"})
        assert rebound.status_code == 403, path
    question = {"question": "How many items are there?", "settings": PLAIN}
    with httpx.stream("POST", f"{served.url}/api/ask", json=question, headers=BEARER, timeout=60) as leaving:
        next(leaving.iter_lines())
    whole = httpx.post(f"{served.url}/api/ask", json=question, headers=BEARER, timeout=60).text
    assert '"rows": [[3]]' in whole
