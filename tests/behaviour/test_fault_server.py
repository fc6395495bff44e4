"""The stated behaviour at faults, through real HTTP: a fault server on loopback, the client, the graph."""

import json
import logging
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest

from critiql.agent.context import Context
from critiql.graphs.api import ask
from critiql.tools.models import hosted
from critiql.tools.models.model import ModelError
from critiql.tools.settings import settings

pytestmark = [pytest.mark.server, pytest.mark.enable_socket]

CASES = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "fixtures/graphs/faults.jsonl").read_text().splitlines()
]
KEY = "CANARY-key-3f9"
PATIENCE = 60


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A fault server of its own port and folder."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    command = [Path(sys.executable).parent / "llmock", "serve", "--host", "127.0.0.1", "--port", port]
    path = tmp_path_factory.mktemp("faults") / "log"
    with path.open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        url = f"http://127.0.0.1:{port}"
        try:
            wait_until_ready(url, process, path)
            yield url
        finally:
            process.terminate()
            process.wait(30)


def wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(PATIENCE):
        assert process.poll() is None, log.read_text()
        try:
            httpx.post(f"{url}/_llmock/reset").raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.5)
        else:
            return
    raise AssertionError(log.read_text())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_fault(
    case: dict[str, Any],
    server: str,
    shop: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(hosted, "_TIMEOUT", case.get("timeout", 60.0))
    monkeypatch.setenv("CRITIQL_OPENAI_BASE_URL", f"{server}/v1")
    monkeypatch.setenv("CRITIQL_OPENAI_API_KEY", KEY)
    settings.cache_clear()
    caplog.set_level(logging.DEBUG)
    script = {"behaviors": case["behaviors"]}
    httpx.post(f"{server}/_llmock/reset", timeout=PATIENCE).raise_for_status()
    httpx.post(f"{server}/_llmock/scenario", json=script, timeout=PATIENCE).raise_for_status()
    if "raises" in case:
        with pytest.raises(ModelError, match=case["says"]) as raised:
            asked(case, server, shop)
        assert type(raised.value).__name__ == case["raises"]
        assert KEY not in str(raised.value)
    else:
        found = asked(case, server, shop)
        assert KEY not in repr(found)
        assert {key: found[key] for key in case["final"]} == case["final"]
        if "first" in case:
            first = found["candidates"][0]["execution"]
            assert (first["ok"], first["kind"]) == (False, case["first"])
    check_served(case, served(server, len(case["served"])))
    assert "HTTP Request" in caplog.text, "logs were looked at"
    assert KEY not in caplog.text


def asked(case: dict[str, Any], server: str, shop: Path) -> dict[str, Any]:
    """Ask with a model of its own for each role that the case names, so that faults find their role."""
    name = case["name"].replace(" ", "-")
    models = {f"{role}_model": f"openai:{role}-{name}@{server}/v1" for role in case.get("roles", ())}
    chosen = {"llm_critic": "off"} | models | case.get("context", {})
    context = Context(model=f"openai:actor-{name}@{server}/v1", z=2, refine=True, **chosen)
    graph = case.get("graph", "text_to_sql")
    return ask("How many items are there?", shop, graph=graph, context=context).model_dump()


def served(server: str, count: int) -> list[dict[str, Any]]:
    """The server's journal; one that a client gave up on is written only when the server is done with it."""
    for _ in range(5):
        journal = httpx.get(f"{server}/_llmock/requests", timeout=PATIENCE).json()
        requests: list[dict[str, Any]] = journal["requests"]
        if len(requests) >= count:
            break
        time.sleep(1)
    return requests


def check_served(case: dict[str, Any], requests: list[dict[str, Any]]) -> None:
    """That the faults fired, and that what followed came: no request more, and none before its time."""
    assert [request["fault"] for request in requests] == case["served"]
    for request, following in pairwise(requests):
        if request["retry_after"]:
            # from start to start: on a starved machine the journal notes an end late
            assert following["started_at"] - request["started_at"] >= request["retry_after"]
    if "slow" in case:
        assert requests[0]["duration"] >= case["slow"]
        assert requests[1]["started_at"] < requests[0]["ended_at"], "the client did not wait for the answer"
    assert not any("tools" in request["body"] for request in requests), "no role offers a tool"
