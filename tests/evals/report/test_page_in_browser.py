"""The report page in a real browser: it draws without a network, filters, and shows hostile text as text."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from critiql.evals.report.page import write_report
from critiql.evals.run.store import Run, Store, StoredAnswer

api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

pytestmark = [pytest.mark.slow, pytest.mark.enable_socket]

HOSTILE = "select '<img src=x onerror=document.title=1>', '</script><script>document.title=2</script>'"


@pytest.fixture
def page() -> Iterator[tuple[Any, list[str]]]:
    """A page of the installed Chromium, and everything that went wrong or was fetched on it."""
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    seen: list[str] = []
    with api.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=found, args=["--no-sandbox"])
        tab = browser.new_page()
        tab.on("pageerror", lambda error: seen.append(f"error: {error}"))
        tab.on("console", lambda said: seen.append(f"console: {said.text}"))
        tab.on("request", lambda request: seen.append(f"request: {request.url}"))
        yield tab, seen
        browser.close()


def report(folder: Path, begin: Callable[..., Run], stored: Callable[..., StoredAnswer]) -> str:
    """A report of two systems on 150 questions of two databases; every answer's SQL is hostile."""
    store = Store(None)
    for system in ("single_shot", "loop"):
        run = begin(store, system)
        for index in range(150):
            candidate = {"id": 0, "sql": HOSTILE, "p_true": 0.5, "correct": index % 3 == 0}
            store.add(run, stored(index, index % 3 == 0, sql=HOSTILE, candidates=[candidate]))
    write_report(store, folder)
    return (folder / "index.html").as_uri()


def test_the_page_draws_filters_and_loads_nothing(
    tmp_path: Path,
    page: tuple[Any, list[str]],
    make_run: Callable[..., Run],
    make_stored: Callable[..., StoredAnswer],
) -> None:
    tab, seen = page
    url = report(tmp_path, make_run, make_stored)
    tab.goto(url)
    expect = api.expect
    expect(tab.locator("#count")).to_have_text("300 of 300")
    expect(tab.locator("details.answer")).to_have_count(100)
    tab.locator("#more").click()
    expect(tab.locator("details.answer")).to_have_count(300)
    tab.locator("#system").select_option("loop")
    tab.locator("#correct").select_option("right")
    expect(tab.locator("#count")).to_have_text("50 of 300")
    tab.locator("details.answer summary").first.click()
    expect(tab.locator("details.answer").first).to_contain_text("P(True) 0.500")
    expect(tab.locator("details.answer pre").first).to_have_text(HOSTILE)
    tab.locator("#text").fill("no such text")
    expect(tab.locator("#count")).to_have_text("0 of 300")
    assert tab.locator("figure svg").count() > 0
    assert tab.title() == "Critiql evaluation"
    assert seen == [f"request: {url}"]
