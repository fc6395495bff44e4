"""Hostile text in every part of the page: it is seen, it does nothing, and what would hide is an escape."""

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from page_hands import ask_and_wait, cells, sql_of, write_sql
from page_server import PageServer

from critiql.tools.schema.quoting import CONTROL

api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = api.expect
pytestmark = [pytest.mark.server, pytest.mark.enable_socket]

ATTACKS = Path(__file__).parents[1] / "fixtures" / "attacks"
TEXTS = [
    json.loads(line)["text"]
    for name in ("hostile_display.jsonl", "hostile_orders.jsonl")
    for line in (ATTACKS / name).read_text(encoding="utf-8").splitlines()
]
QUESTION = "What is shown?"


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@pytest.fixture
def server(tmp_path: Path, scripted: Callable[..., Any]) -> PageServer:
    """The page's server over a database whose names and cells are the texts."""
    path = tmp_path / "hostile.sqlite"
    connection = sqlite3.connect(path)
    connection.execute(f"CREATE TABLE shown ({', '.join(quoted(text) + ' TEXT' for text in TEXTS)})")
    connection.execute(f"INSERT INTO shown VALUES ({', '.join('?' for _ in TEXTS)})", TEXTS)
    for text in TEXTS:
        connection.execute(f"CREATE TABLE {quoted(text)} (id INTEGER)")
    connection.commit()
    connection.close()
    server = PageServer(path, scripted)
    server.said[QUESTION] = {"texts": ["SELECT * FROM shown"], "truths": [0.9]}
    for text in TEXTS:
        said = f"Tell me of {' '.join(text.split())}"
        server.said[said] = {"tool": "tables", "reply": text}
    server.said["It fails"] = {"breaks": " ".join(TEXTS)}
    return server


def nothing_happened(tab: Any, heard: list[str]) -> None:
    """No dialog, no foreign element, no hidden character, the page's own title."""
    assert heard == []
    assert tab.title() == "Critiql"
    found = tab.locator(".page").evaluate(
        """page => [...page.querySelectorAll("img, iframe, object, embed, script, style, use, a[href]")]
            .filter(one => !one.closest(".brand") && !(one.href || "").startsWith(location.origin))
            .map(one => one.outerHTML)"""
    )
    assert found == []
    said = tab.locator("body").inner_text().replace("\n", "").replace("\t", "").replace("\u200b", "")
    assert CONTROL.findall(said) == []


@pytest.mark.slow
def test_names_cells_questions_and_replies(tab: Any, server: PageServer) -> None:
    heard: list[str] = []
    tab.on("dialog", lambda dialog: (heard.append(dialog.message), dialog.dismiss()))
    expect(tab.get_by_role("button", name="How many shown are there?")).to_be_visible()
    nothing_happened(tab, heard)
    ask_and_wait(tab, QUESTION)
    assert len(cells(tab)[0]) == len(TEXTS)
    nothing_happened(tab, heard)
    for said in [one for one in server.said if one.startswith("Tell me of")]:
        ask_and_wait(tab, said)
    nothing_happened(tab, heard)
    ask_and_wait(tab, "It fails")
    nothing_happened(tab, heard)
    tab.get_by_role("button", name="History").click()
    nothing_happened(tab, heard)


def test_what_a_query_names(tab: Any) -> None:
    heard: list[str] = []
    tab.on("dialog", lambda dialog: (heard.append(dialog.message), dialog.dismiss()))
    ask_and_wait(tab, QUESTION)
    write_sql(tab, 'SELECT 1 AS "<img src=x onerror=alert(1)>", nothing FROM "<script>alert(2)</script>"')
    tab.get_by_role("button", name="Run", exact=True).click()
    expect(tab.locator(".sql").get_by_role("alert")).to_be_visible()
    nothing_happened(tab, heard)


def test_what_a_query_hides(tab: Any) -> None:
    """It is shown as an escape, and what runs is the text as it was written."""
    ask_and_wait(tab, QUESTION)
    write_sql(tab, "SELECT 'a\u202eb\u200b\U000e0041' AS hidden")
    expect(tab.locator(".sql .editor:not(.shown) .cm-hidden")).to_have_text(
        ["\\u202e", "\\u200b", "\\U000e0041"]
    )
    assert CONTROL.findall(sql_of(tab)) == []
    tab.get_by_role("button", name="Run", exact=True).click()
    expect(tab.locator(".result")).to_contain_text("From your run of the SQL")
    expect(tab.locator(".result tbody td")).to_have_text("a\\u202eb\\u200b\\U000e0041")


HOST = """<!doctype html><title>Host</title>
<iframe id=view sandbox="allow-scripts" width=700 height=640></iframe>
<script>
window.told = [];
addEventListener("message", ({data}) => { window.told.push(data);
  const say = (message) => view.contentWindow.postMessage({jsonrpc: "2.0", ...message}, "*");
  if (data.method === "ui/initialize") say({id: data.id, result: {}});
  if (data.method === "ui/notifications/initialized")
    say({method: "ui/notifications/tool-result", params: {structuredContent: window.answer}});
});
</script>"""
ANSWER: dict[str, Any] = {
    "question": "?", "database": "shop", "status": "unverified", "sql": "SELECT country, spent FROM t",
    "in_words": "3 rows", "columns": ["country", "spent"], "truncated": True, "confidence": None,
    "rows": [["Peru", 12.5], ["Norway", 30.0], ["Kenya", None]], "assumptions": ["Only 2023 is meant"],
    "other_reading": {"words": "number of orders", "sql": "SELECT 1"},
    "chart": {"data": {"values": [{"x": "Peru", "y": 12.5}, {"x": "Norway", "y": 30.0}]}},
}  # fmt: skip


def show_view(browser: Any, answer: dict[str, Any]) -> tuple[Any, Any, list[str]]:
    """The view that MCP hosts show, in a frame as they make it, with this answer."""
    from critiql.server.app import PAGE

    heard: list[str] = []
    tab = browser.new_page(viewport={"width": 740, "height": 680})
    tab.on("dialog", lambda dialog: (heard.append(dialog.message), dialog.dismiss()))
    tab.on("request", lambda sent: heard.append(sent.url) if "127.0.0.1" in sent.url else None)
    tab.set_content(HOST)
    tab.evaluate("answer => { window.answer = answer }", answer)
    html = (PAGE.parent / "answer_view.html").read_text()
    tab.evaluate("html => { document.getElementById('view').srcdoc = html }", html)
    frame = tab.frame_locator("#view")
    frame.get_by_text("Status: ").wait_for()
    return tab, frame, heard


def test_the_view_of_mcp_hosts(browser: Any, tmp_path: Path) -> None:
    tab, frame, heard = show_view(browser, ANSWER)
    expect(frame.locator("tbody tr")).to_have_count(3)
    expect(frame.locator("tbody tr").last).to_contain_text("NULL")
    expect(frame.locator("svg rect")).to_have_count(2)
    expect(frame.locator("pre")).to_have_text(ANSWER["sql"])
    for said in ("There are more rows", "Only 2023 is meant", "number of orders", "Confidence: unknown"):
        expect(frame.locator("main")).to_contain_text(said)
    tab.screenshot(path=str(tmp_path / "mcp-view.png"))
    assert heard == []
    tab.close()


def test_hostile_text_in_that_view(browser: Any) -> None:
    values = [{"x": text, "y": place} for place, text in enumerate(TEXTS)]
    hostile = {**ANSWER, "columns": TEXTS, "rows": [TEXTS], "sql": "\n".join(TEXTS), "assumptions": TEXTS}
    words = {"in_words": " ".join(TEXTS), "other_reading": {"words": " ".join(TEXTS), "sql": "SELECT 1"}}
    tab, frame, heard = show_view(browser, {**hostile, **words, "chart": {"data": {"values": values}}})
    assert (
        frame.locator(
            "img, iframe, script:not(:first-of-type), a, form, button, style:not(head style)"
        ).count()
        == 0
    )
    said = frame.locator("main").inner_text().replace("\n", "").replace("\t", "")
    assert CONTROL.findall(said) == []
    assert heard == []
    tab.close()
