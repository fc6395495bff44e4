"""Studio's side of the graphs, through the SDK on a real `langgraph dev` with a real small model."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from langgraph_sdk import get_sync_client
from served import make_shop

pytestmark = [pytest.mark.model, pytest.mark.server, pytest.mark.enable_socket]

ROOT = Path(__file__).parents[2]
CONTEXT = {"model": "qwen2.5-coder-0.5b-instruct", "z": 2, "sample_rows": 0, "max_tokens": 60}
PATIENCE = 300


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of its own folder, so that no thread of an earlier run is there."""
    folder = tmp_path_factory.mktemp("studio")
    shutil.copy(ROOT / "langgraph.json", folder)
    make_shop(folder / "shop.sqlite")
    offer = {"databases": {"shop": str(folder / "shop.sqlite")}, "models": [CONTEXT["model"]]}
    port = free_port()
    command = [
        Path(sys.executable).parent / "langgraph",
        "dev",
        "--no-browser",
        "--no-reload",
        "--port",
        str(port),
    ]
    log = (folder / "log").open("w")
    process = subprocess.Popen(
        command,
        cwd=folder,
        stdout=log,
        stderr=log,
        env={**os.environ, "LANGSMITH_TRACING": "false", "CRITIQL_SERVED": json.dumps(offer)},
    )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until_ready(url, process, folder / "log")
        yield url
    finally:
        process.terminate()
        process.wait(30)
        log.close()


def wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(PATIENCE):
        assert process.poll() is None, log.read_text()
        try:
            if httpx.get(f"{url}/ok").status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(1)
    raise AssertionError(log.read_text())


@pytest.fixture
def client(server: str) -> Iterator[Any]:
    with get_sync_client(url=server, timeout=PATIENCE) as opened:
        yield opened


QUESTION = {"question": "How many items are there?", "database": "shop"}


def test_every_graph_is_served_with_its_settings(client: Any) -> None:
    served = {assistant["graph_id"]: assistant for assistant in client.assistants.search(limit=50)}
    assert {"text_to_sql", "single_shot", "ac_sql"} <= set(served)
    schemas = client.assistants.get_schemas(served["text_to_sql"]["assistant_id"])
    fields = schemas["context_schema"]["properties"]
    assert all(field.get("description") for field in fields.values())
    assert fields["z"]["maximum"] == 20
    assert {"question", "database", "messages"} <= set(schemas["input_schema"]["properties"])


def test_four_stream_modes(client: Any) -> None:
    seen: dict[str, list[Any]] = {}
    for part in client.runs.stream(
        None,
        "text_to_sql",
        input=QUESTION,
        context=CONTEXT,
        stream_mode=["values", "updates", "messages-tuple", "custom"],
    ):
        seen.setdefault(part.event, []).append(part.data)
    assert "error" not in seen, seen["error"]
    assert seen["values"][-1]["status"] in ("unverified", "accepted", "failed")
    assert [next(iter(update)) for update in seen["updates"]][:3] == ["recall", "ground", "actor"]
    assert {"grounded", "candidate", "executed", "answered"} <= {event["type"] for event in seen["custom"]}
    assert any(message["content"] for message, _ in seen["messages"]), "tokens are streamed"


def test_breakpoint_edit_fork_and_resume(client: Any) -> None:
    thread = client.threads.create()["thread_id"]
    run = {"assistant_id": "single_shot", "context": CONTEXT}
    client.runs.wait(thread, input=QUESTION, interrupt_before=["answer"], **run)
    stopped = client.threads.get_state(thread)
    assert stopped["next"] == ["answer"]
    edited = {"candidates": [{"id": 0, "sql": "SELECT COUNT(*) + 4 FROM item"}]}
    client.threads.update_state(thread, edited, as_node="actor")
    resumed = client.runs.wait(thread, input=None, **run)
    assert resumed["rows"] == [[7]]
    before_actor = next(s for s in client.threads.get_history(thread) if s["next"] == ["actor"])
    fork = client.threads.update_state(
        thread,
        {"draft": "SELECT title FROM item WHERE id = 3"},
        checkpoint_id=before_actor["checkpoint"]["checkpoint_id"],
        as_node="ground",
    )
    forked = client.runs.wait(thread, input=None, checkpoint=fork["checkpoint"], **run)
    assert forked["rows"] == [["lamp"]]


def test_a_chat_message_is_a_question(client: Any) -> None:
    given = {"messages": [{"role": "user", "content": "How many items are there?"}], "database": "shop"}
    final = client.runs.wait(None, "single_shot", input=given, context=CONTEXT)
    assert final["question"] == "How many items are there?"
    assert final["messages"][-1]["type"] == "ai"
    assert final["sql"] in final["messages"][-1]["content"]
