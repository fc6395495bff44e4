"""`critiql serve` with the real local model, asked from the page."""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from page_hands import ask_and_wait, sql_of

api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = api.expect
pytestmark = [pytest.mark.server, pytest.mark.model, pytest.mark.enable_socket]

MODEL = "qwen2.5-coder-0.5b-instruct"
PATIENCE = 240_000
"""Milliseconds for an answer on busy cores."""


@pytest.fixture
def served(shop: Path) -> Iterator[str]:
    """The address of a server of its own process, once it answers."""
    pytest.importorskip("langgraph_api", reason="needs critiql[studio]")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        str(Path(sys.executable).with_name("critiql")),
        "serve",
        "--db",
        f"shop={shop}",
        "--port",
        str(port),
        "--model",
        MODEL,
    ]
    process = subprocess.Popen(
        command,
        env={**os.environ, "GOMP_SPINCOUNT": "300"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait(process, url)
        yield url
    finally:
        process.terminate()
        process.wait(30)


def test_a_question_and_its_follow_up(served: str, browser: Any) -> None:
    tab = browser.new_page(viewport={"width": 1360, "height": 900})
    tab.set_default_timeout(PATIENCE)
    tab.goto(f"{served}/page/")
    ask_and_wait(tab, "How many items are there?")
    expect(tab.locator(".result tbody td")).to_have_text("3")
    assert "item" in sql_of(tab)
    expect(tab.locator(".timeline .step").filter(has_text="Query 1").first).to_contain_text("tokens")
    expect(tab.locator("footer")).to_contain_text(re.compile(r"\d tokens a second"))
    write = tab.locator(".sql .editor:not(.shown) .cm-content")
    write.click()
    tab.keyboard.press("Control+Enter")
    expect(tab.locator(".result")).to_contain_text("From your run of the SQL")
    ask_and_wait(tab, "and how many makers?")
    expect(tab.locator(".turn")).to_have_count(2)
    expect(tab.locator(".result")).to_be_visible()
    tab.close()


def _wait(process: "subprocess.Popen[bytes]", url: str) -> None:
    for _ in range(480):
        assert process.poll() is None, "the server ended"
        try:
            if httpx.get(f"{url}/api/about", trust_env=False).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.25)
    pytest.fail("the server did not answer within two minutes")
