"""The page in the Chromium of this machine, on a server of its own."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from page_server import PageServer, serving

from critiql.tools.database.sample.build import sample_database

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
api.expect.set_options(timeout=30_000)  # milliseconds; the cores may be busy with other tests


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """The installed Chromium; no browser is downloaded."""
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    with api.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=found, args=list(ARGUMENTS))
        yield opened
        opened.close()


@pytest.fixture
def server(tmp_path: Path, scripted: Callable[..., Any]) -> PageServer:
    """What the page talks to."""
    folder = tmp_path / "uploads"
    folder.mkdir()
    return PageServer(sample_database(), scripted, uploads=str(folder))


@pytest.fixture
def url(server: PageServer) -> Iterator[str]:
    """Where the server is."""
    with serving(server) as address:
        yield address


@pytest.fixture
def open_page(browser: Any, url: str) -> Iterator[Callable[..., Any]]:
    """Open the page; afterwards nothing went wrong on it, and it asked nobody but its server."""
    seen: list[str] = []
    contexts: list[Any] = []

    def go(path: str = "", **options: Any) -> Any:
        context = browser.new_context(**{"viewport": {"width": 1360, "height": 900}} | options)
        contexts.append(context)
        tab = context.new_page()
        tab.set_default_timeout(30_000)
        tab.on("pageerror", lambda error: seen.append(f"error: {error}"))
        tab.on("console", lambda said: seen.append(f"console: {said.text}") if said.type == "error" else None)
        tab.on(
            "request", lambda sent: None if _is_own(sent.url, url) else seen.append(f"request: {sent.url}")
        )
        tab.goto(f"{url}/page/{path}")
        return tab

    yield go
    for context in contexts:
        context.close()
    assert [one for one in seen if "the server responded with a status of 4" not in one] == []


@pytest.fixture
def tab(open_page: Callable[..., Any]) -> Any:
    """The page, opened."""
    return open_page()


def _is_own(address: str, url: str) -> bool:
    return address.startswith((f"{url}/", "data:", f"blob:{url}/"))
