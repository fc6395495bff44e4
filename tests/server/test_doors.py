"""A running server over loopback, with a scripted model behind it: who may come in, and what may be named."""

import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from langgraph_sdk import get_sync_client
from scripted_endpoint import free_port, script
from served import ASKED, COUNT, PLAIN, Served, bearer, serving_shop

from critiql.cli.screen import exit_codes

pytestmark = [pytest.mark.server, pytest.mark.enable_socket]

TOKEN = "a-token-of-the-tests"
BEARER = bearer(TOKEN)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """`critiql serve` with the shop, a token, and a model that always writes the same query."""
    with serving_shop(tmp_path_factory.mktemp("served"), environment={"CRITIQL_TOKEN": TOKEN}) as place:
        yield place


@pytest.fixture
def client(served: Served) -> Iterator[Any]:
    with get_sync_client(url=served.url, headers=BEARER, timeout=120) as opened:
        yield opened


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


def test_the_network_names_no_path(client: Any) -> None:
    given = {"question": "How many items are there?", "database": "/etc/passwd"}
    parts = list(client.runs.stream(None, "text_to_sql", input=given, context=PLAIN, stream_mode=["values"]))
    assert parts[-1].event == "error"
    assert "root:" not in json.dumps([part.data for part in parts])
    final = client.runs.wait(None, "assistant", input={**ASKED, "database": "/etc/passwd"}, context=PLAIN)
    assert final["problem"]["kind"] == "database"


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
