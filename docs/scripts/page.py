"""Take the pictures of the page anew, from a real server with the default model: `make page-pictures`.

Usage: python docs/scripts/page.py FOLDER MODEL
"""

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from playwright.sync_api import Browser, Page, sync_playwright

SPENT = "Which five customers spent the most?"
FOLLOW_UP = "and only in 2023?"
STATUS = "How many orders are there in each status?"
MENDED = "How much did each country spend on delivered orders?"
WIDE = {"width": 1280, "height": 800}
NARROW = {"width": 390, "height": 844}
PATIENCE = 300_000
"""Milliseconds for one answer."""


@contextmanager
def serving(model: str) -> Iterator[str]:
    """The address of `critiql serve` with the sample database, once it answers.

    Raises:
        RuntimeError: it ended.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    critiql = str(Path(sys.executable).with_name("critiql"))
    command = [critiql, "serve", "--port", str(port), "--model", model, "--no-memory"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not _answers(url := f"http://127.0.0.1:{port}"):
            if server.poll() is not None:
                raise RuntimeError("critiql serve ended. Run it by hand to see why.")
            time.sleep(0.25)
        yield url
    finally:
        server.terminate()
        server.wait(30)


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/api/about", trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def ask(tab: Page, question: str) -> None:
    """Send a question, and wait for its answer."""
    turns = tab.locator(".turn").count()
    tab.get_by_label("Question", exact=True).fill(question)
    tab.get_by_label("Question", exact=True).press("Enter")
    tab.locator(".turn").nth(turns).locator(".reply[aria-busy=false]").wait_for(timeout=PATIENCE)


def open_page(browser: Browser, url: str, size: dict[str, int], scheme: str) -> Page:
    """The page in a window of its own."""
    context = browser.new_context(viewport=size, color_scheme=scheme)  # type: ignore[arg-type]
    tab = context.new_page()
    tab.goto(f"{url}/page/")
    return tab


def light(tab: Page, out: Path) -> None:
    """A question with a follow-up, and the tables beside it."""
    tab.get_by_role("button", name="Tables", exact=True).click()
    ask(tab, SPENT)
    ask(tab, FOLLOW_UP)
    tab.locator(".tree summary", has_text="customers").click()
    tab.screenshot(path=out / "page-light.png")


def dark(tab: Page, out: Path) -> None:
    """A query that failed, and what changed in the next."""
    ask(tab, MENDED)
    tab.locator("#how").scroll_into_view_if_needed()
    tab.locator("#how").evaluate("heading => heading.scrollIntoView()")
    tab.screenshot(path=out / "page-dark.png")


def phone(tab: Page, out: Path) -> None:
    """The answer with its chart, on a narrow screen."""
    ask(tab, STATUS)
    tab.get_by_role("button", name="Show SQL and rows").click()
    tab.get_by_role("radio", name="Chart").check()
    tab.locator(".chart svg, .chart canvas").first.wait_for()
    tab.locator(".sql").first.evaluate("part => part.scrollIntoView()")
    tab.screenshot(path=out / "page-phone.png")


def main(out: Path, model: str) -> None:
    """Take all three."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with serving(model) as url, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        light(open_page(browser, url, WIDE, "light"), out)
        dark(open_page(browser, url, WIDE, "dark"), out)
        phone(open_page(browser, url, NARROW, "light"), out)
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
