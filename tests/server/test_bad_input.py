"""What goes wrong on a running server: each with a plain error, and a good question right after it."""

import asyncio
import http.client
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import mcp
import pytest
from langgraph_sdk import get_sync_client
from mcp.client.streamable_http import streamable_http_client
from scripted_endpoint import free_port, process, script
from served import ASKED, COUNT, PLAIN, QUESTION, bearer, environment_of, make_shop, running

TOKEN = "a-token-of-the-tests"
BEARER = bearer(TOKEN)
pytestmark = [pytest.mark.server, pytest.mark.enable_socket]
DYING = Path(__file__).parents[1] / "servers/dying_model.py"


class Place:
    """A server whose model does as it is told: answers, waits, or dies in the middle."""

    def __init__(self, url: str, folder: Path, model: str, environment: dict[str, str]) -> None:
        self.url, self.folder, self.model, self.environment = url, folder, model, environment
        self.port = int(url.rsplit(":", 1)[1])

    def let_model(self, do: str) -> None:
        """From now on."""
        (self.folder / "do").write_text(do)

    def ask(self, **more: Any) -> tuple[int, str]:
        """A question over /api/ask."""
        body = {"question": QUESTION, "settings": {**PLAIN, "answer_cache": False, "seconds": 100}, **more}
        answered = httpx.post(f"{self.url}/api/ask", json=body, headers=BEARER, timeout=120)
        return answered.status_code, answered.text

    def chat(self, **more: Any) -> httpx.Response:
        """The same over /v1."""
        body = {"messages": ASKED["messages"], "model": "critiql/shop", **more}
        return httpx.post(f"{self.url}/v1/chat/completions", json=body, headers=BEARER, timeout=120)

    async def tool(self, name: str, arguments: dict[str, Any]) -> tuple[bool, str]:
        """Whether a tool says over the Model Context Protocol that it failed, and its words."""
        async with httpx.AsyncClient(headers=BEARER, timeout=120) as carrier:
            transport = streamable_http_client(f"{self.url}/mcp", http_client=carrier)
            async with mcp.Client(transport) as agent:
                answered = await agent.call_tool(name, arguments)
        return answered.is_error, str(answered.content[0].text)  # type: ignore[union-attr]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("bad")
    make_shop(folder / "shop.sqlite")
    make_shop(folder / "gone.sqlite")
    port, endpoint = free_port(), free_port()
    environment = environment_of(folder, CRITIQL_TOKEN=TOKEN)
    model = f"openai:m@http://127.0.0.1:{endpoint}/v1"
    (folder / "do").write_text("answer")
    command = [script("python"), str(DYING), str(endpoint), str(folder / "do"), COUNT]
    databases = ["--db", f"shop={folder / 'shop.sqlite'}", "--db", f"gone={folder / 'gone.sqlite'}"]
    serve = [script("critiql"), "serve", *databases, "--port", str(port), "--model", model]
    with (
        process(command, folder / "model.log", f"http://127.0.0.1:{endpoint}/v1/models"),
        running(serve, folder, port, environment),
    ):
        yield Place(f"http://127.0.0.1:{port}", folder, model, environment)


@pytest.fixture(autouse=True)
def good_one_after(place: Place) -> Iterator[None]:
    """Whatever happened, the next question is answered."""
    place.let_model("answer")
    yield
    place.let_model("answer")
    status, text = place.ask()
    assert status == 200
    assert '"rows": [[3]]' in text


def is_plain(text: str) -> bool:
    """Whether a person can read it."""
    return bool(text) and "Traceback" not in text and 'File "' not in text


@pytest.mark.parametrize("do", ["die", "garbage", "refuse"])
def test_a_model_that_fails_in_the_middle(place: Place, do: str) -> None:
    place.let_model(do)
    _, text = place.ask()
    name, data = text.strip().split("\n\n")[-1].split("\n")
    assert name == "event: error"
    error = json.loads(data.removeprefix("data: "))
    assert error["kind"] == "model"
    assert is_plain(error["message"])
    whole = place.chat()
    assert whole.status_code == 503
    assert whole.json()["error"]["kind"] == "model"
    assert is_plain(whole.text)
    streamed = place.chat(stream=True).text
    assert '"kind": "model"' in streamed
    assert "[DONE]" not in streamed, "a stream that broke off is not complete"
    with get_sync_client(url=place.url, headers=BEARER, timeout=120) as client:
        final = client.runs.wait(None, "assistant", input=ASKED, context=PLAIN)
    assert final["problem"]["kind"] == "model"
    assert is_plain(final["problem"]["message"])
    failed, said = asyncio.run(place.tool("ask", {"question": QUESTION}))
    assert failed
    assert is_plain(said)


def test_a_model_that_never_answers_is_left_at_the_end_of_the_time(place: Place) -> None:
    place.let_model("wait")
    started = time.monotonic()
    _, text = place.ask(settings={**PLAIN, "answer_cache": False, "seconds": 2})
    assert time.monotonic() - started < 20
    error = json.loads(text.strip().split("\n")[-1].removeprefix("data: "))
    assert error["kind"] == "model"
    assert "seconds=" in error["message"]
    assert is_plain(error["message"])


def test_a_database_that_vanishes_and_comes_back(place: Place) -> None:
    file = place.folder / "gone.sqlite"
    assert '"rows": [[3]]' in place.ask(database="gone")[1]
    hidden = file.rename(file.with_suffix(".hidden"))
    try:
        _, text = place.ask(database="gone")
        assert "event: error" in text or '"status": "failed"' in text
        assert "gone.sqlite" in text
        assert is_plain(text)
        ran = httpx.post(
            f"{place.url}/api/run", json={"database": "gone", "sql": COUNT}, headers=BEARER, timeout=30
        )
        assert is_plain(ran.text)
        assert ran.status_code == 404 or not ran.json()["ok"]
        chat = place.chat(model="critiql/gone")
        with get_sync_client(url=place.url, headers=BEARER, timeout=120) as client:
            asked = {**ASKED, "database": "gone"}
            final = client.runs.wait(None, "assistant", input=asked, context=PLAIN)
        _, over_mcp = asyncio.run(place.tool("ask", {"question": QUESTION, "database": "gone"}))
        for said in (chat.text, json.dumps(final), over_mcp):
            assert "gone.sqlite" in said or "the database file cannot be read" in said, said
            assert "[[3]]" not in said
            assert is_plain(said)
        listed = httpx.get(f"{place.url}/api/databases", headers=BEARER).json()
        assert [one["name"] for one in listed] == ["shop", "gone"]
    finally:
        hidden.rename(file)
    assert '"rows": [[3]]' in place.ask(database="gone")[1]


@pytest.mark.parametrize("path", ["/api/ask", "/v1/chat/completions", "/threads/runs/stream"])
def test_a_client_that_leaves_frees_the_model(place: Place, path: str) -> None:
    """The call to the model ends within seconds, not when the model would."""
    place.let_model("wait")
    told, asked = left_and_asked(place)
    bodies: dict[str, dict[str, Any]] = {
        "/api/ask": {"question": QUESTION, "settings": {**PLAIN, "answer_cache": False}},
        "/v1/chat/completions": {"messages": ASKED["messages"], "stream": True},
        "/threads/runs/stream": {
            "assistant_id": "assistant",
            "input": ASKED,
            "context": PLAIN,
            "stream_mode": ["custom"],
            "on_disconnect": "cancel",
        },
    }
    url = f"{place.url}{path.removeprefix('/threads')}"
    with httpx.stream("POST", url, json=bodies[path], headers=BEARER, timeout=120) as leaving:
        lines = leaving.iter_lines()  # held: dropping the iterator closes the connection
        next(line for line in lines if "tables" in line or "Read the schema" in line)
        wait_for(asked.exists)
    wait_for(told.exists)
    assert told.exists(), "the endpoint saw the client leave"


@pytest.mark.parametrize("path", ["/api/refine", "/v1/chat/completions"])
def test_a_client_that_leaves_before_a_whole_answer_frees_the_model(place: Place, path: str) -> None:
    """No stream tells the server that nobody waits any more."""
    told, asked = left_and_asked(place)
    bodies: dict[str, dict[str, Any]] = {
        "/api/refine": {"question": QUESTION, "sql": "SELECT nothing FROM item"},
        "/v1/chat/completions": {"messages": ASKED["messages"]},
    }
    place.let_model("wait")
    leaving = http.client.HTTPConnection("127.0.0.1", place.port)
    headers = {**BEARER, "Content-Type": "application/json"}
    leaving.request("POST", path, json.dumps(bodies[path]), headers)
    wait_for(asked.exists)
    leaving.close()
    wait_for(told.exists)
    assert told.exists(), "the endpoint saw the client leave"


async def test_a_client_of_mcp_that_leaves_frees_the_model(place: Place) -> None:
    told, asked = left_and_asked(place)
    place.let_model("wait")
    async with httpx.AsyncClient(headers=BEARER, timeout=60) as carrier:
        transport = streamable_http_client(f"{place.url}/mcp", http_client=carrier)
        async with mcp.Client(transport) as agent:
            call = asyncio.create_task(agent.call_tool("ask", {"question": QUESTION}))
            await asyncio.to_thread(wait_for, asked.exists)
            call.cancel()
            await asyncio.to_thread(wait_for, told.exists)
    assert told.exists(), "the endpoint saw the client leave"


def left_and_asked(place: Place) -> tuple[Path, Path]:
    """What the model writes when its caller leaves, and when it is called; neither is there yet."""
    signs = place.folder / "do.left", place.folder / "do.asked"
    for each in signs:
        each.unlink(missing_ok=True)
    return signs


def wait_for(true: Any, seconds: float = 15) -> None:
    """Until something is so."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.1)


@pytest.mark.parametrize("strategy", ["enqueue", "reject", "interrupt"])
def test_two_clients_on_one_thread(place: Place, strategy: str) -> None:
    place.let_model("slow")
    with get_sync_client(url=place.url, headers=BEARER, timeout=120) as client:
        thread = client.threads.create()["thread_id"]
        done: list[Any] = []

        def run() -> None:
            try:
                final = client.runs.wait(
                    thread, "assistant", input=ASKED, context=PLAIN, multitask_strategy=strategy
                )
                done.append(final["answer"]["rows"] if final.get("answer") else final)
            except httpx.HTTPStatusError as error:
                done.append(error.response.status_code)

        pair = [threading.Thread(target=run) for _ in range(2)]
        for one in pair:
            one.start()
            time.sleep(0.4)
        for one in pair:
            one.join(60)
        turns = client.threads.get_state(thread)["values"].get("turns", [])
    assert len(done) == 2
    assert [[3]] in done
    assert len(turns) == (2 if strategy == "enqueue" else 1), "no turn is lost or doubled"
    if strategy == "reject":
        assert 409 in done


def test_a_connection_that_rested_is_still_good(place: Place) -> None:
    # Clients drop theirs after 5 s; a server that does so too cuts off one request in many.
    rested = http.client.HTTPConnection("127.0.0.1", place.port, timeout=30)
    for pause in (6, 0):
        rested.request("GET", "/ok")
        answered = rested.getresponse()
        assert answered.status == 200
        assert b"true" in answered.read()
        assert rested.sock is not None, "the server closed it"
        time.sleep(pause)
    rested.close()


@pytest.mark.parametrize("command", ["serve", "mcp"])
def test_a_busy_port(place: Place, command: str) -> None:
    port = str(place.port)
    more = ["--http"] if command == "mcp" else []
    done = subprocess.run(
        [script("critiql"), command, *more, "--port", port, "--db", str(place.folder / "shop.sqlite")],
        env=place.environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 2
    assert f"Port {port}" in done.stderr
    assert "--port" in done.stderr
    assert is_plain(done.stderr)


@pytest.mark.parametrize("path", ["/api/ask", "/v1/chat/completions", "/mcp", "/threads", "/runs/wait"])
def test_ten_megabytes(place: Place, path: str) -> None:
    refused = httpx.post(f"{place.url}{path}", content=b"x" * 10_000_000, headers=BEARER, timeout=30)
    assert refused.status_code == 413
    assert "1 MB" in refused.json()["error"]["message"]


@pytest.mark.parametrize("headers", [{}, bearer("wrong"), bearer(TOKEN[:-1]), {"Authorization": TOKEN}])
def test_a_wrong_token(place: Place, headers: dict[str, str]) -> None:
    refused = httpx.post(f"{place.url}/v1/chat/completions", json={}, headers=headers)
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"] == "Bearer"
    assert TOKEN not in refused.text


def test_it_ends_when_it_is_told_to(place: Place) -> None:
    """Another server of the same kind; nothing of it is left."""
    port, folder = free_port(), place.folder / "second"
    folder.mkdir()
    command = [script("critiql"), "serve", "--db", str(place.folder / "shop.sqlite"), "--port", str(port)]
    environment = {**place.environment, "XDG_CACHE_HOME": str(folder)}
    running_one = subprocess.Popen(
        [*command, "--model", place.model], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    try:
        wait_for(lambda: answers(port), 60)
        os.kill(running_one.pid, signal.SIGINT)
        _, said = running_one.communicate(timeout=30)
    finally:
        running_one.kill()
    assert is_plain(said.decode())
    assert not (folder / "critiql/server/running.json").exists()


def answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/ok").status_code == 200
    except httpx.HTTPError:
        return False
