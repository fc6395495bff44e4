"""The stated behaviour at faults, through real HTTP: a fault server on loopback, the client, the graph."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from critiql.agent.context import Context
from critiql.graphs.api import ask
from critiql.tools.models import hosted
from critiql.tools.models.model import ModelError, TransientModelError

pytestmark = [pytest.mark.server, pytest.mark.enable_socket]

CASES = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "fixtures/graphs/faults.jsonl").read_text().splitlines()
]
RAISES = {"ModelError": ModelError, "TransientModelError": TransientModelError}
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
def test_fault(case: dict[str, Any], server: str, shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosted, "_TIMEOUT", 0.5)
    httpx.post(f"{server}/_llmock/reset").raise_for_status()
    httpx.post(f"{server}/_llmock/scenario", json={"behaviors": case["behaviors"]}).raise_for_status()
    model = f"openai:faulty-{case['name'].replace(' ', '-')}@{server}/v1"
    context = Context(model=model, z=2, **case.get("context", {"llm_critic": "off"}))
    if "raises" in case:
        with pytest.raises(RAISES[case["raises"]], match=case["says"]):
            ask("How many items are there?", shop, context=context)
        return
    found = ask("How many items are there?", shop, context=context).model_dump()
    assert {key: found[key] for key in case["final"]} == case["final"]
    if "first" in case:
        first = found["candidates"][0]["execution"]
        assert (first["ok"], first["kind"]) == (False, case["first"])
