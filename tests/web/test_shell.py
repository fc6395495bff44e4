"""Around the answer: tables, databases, files, settings, token, keyboard, phone, and what axe finds."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from page_hands import ask, ask_and_wait, sql_of, write_sql
from page_server import PageServer, serving

api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = api.expect
pytestmark = [pytest.mark.server, pytest.mark.enable_socket]

SPENT = "How much did each country spend?"
AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


def test_tables_are_searched_and_their_names_put_into_the_sql(tab: Any) -> None:
    tab.get_by_role("button", name="Tables", exact=True).click()
    tree = tab.get_by_role("complementary", name="Tables")
    expect(tree.locator(".tree > li")).to_have_count(7)
    assert tree.get_by_role("button", name="whole table").count() == 0
    ask_and_wait(tab, SPENT)
    write_sql(tab, "SELECT  FROM albums")
    for _ in range(len(" FROM albums")):
        tab.keyboard.press("ArrowLeft")
    tree.get_by_role("searchbox").fill("release")
    expect(tree.locator(".tree > li")).to_have_count(1)
    tree.get_by_role("button", name="release_year").click()
    assert sql_of(tab) == "SELECT release_year FROM albums"


def test_names_are_completed(tab: Any) -> None:
    ask_and_wait(tab, SPENT)
    write_sql(tab, "SELECT * FROM custo")
    tab.keyboard.press("Control+Space")
    option = tab.locator(".sql .cm-tooltip-autocomplete li", has_text="customers").first
    option.click()
    assert sql_of(tab) == "SELECT * FROM customers"


def test_a_file_is_opened_and_one_that_is_no_database_refused(tab: Any, shop: Path, tmp_path: Path) -> None:
    bad = tmp_path / "notes.sqlite"
    bad.write_text("no database")
    tab.get_by_label("Open a file").set_input_files(bad)
    expect(tab.get_by_role("alert")).to_contain_text("notes.sqlite was not taken")
    tab.get_by_label("Open a file").set_input_files(shop)
    expect(tab.get_by_label("Database")).to_have_value("shop.sqlite")
    tab.get_by_role("button", name="Tables", exact=True).click()
    expect(tab.locator(".tree > li")).to_have_count(2)
    expect(tab.get_by_role("alert")).to_have_count(0)


def test_without_leave_no_file_is_asked_for(browser: Any, server: PageServer) -> None:
    closed = PageServer(server.database, server.script)
    with serving(closed) as url:
        tab = browser.new_page()
        tab.goto(f"{url}/page/")
        expect(tab.get_by_label("Database")).to_have_value("music shop")
        assert tab.get_by_label("Open a file").count() == 0
        tab.close()


def test_the_token_comes_from_the_link_and_leaves_the_address(browser: Any, server: PageServer) -> None:
    with serving(PageServer(server.database, server.script, token="a secret")) as url:
        tab = browser.new_page()
        tab.goto(f"{url}/page/")
        expect(tab.get_by_role("alert")).to_contain_text("open the link that `critiql serve` printed")
        tab.goto("about:blank")
        tab.goto(f"{url}/page/#token=a%20secret")
        expect(tab.get_by_label("Database")).to_have_value("music shop")
        assert tab.url == f"{url}/page/"
        ask_and_wait(tab, SPENT)
        expect(tab.locator(".result tbody tr")).to_have_count(6)
        tab.close()


def test_a_server_that_went_away_is_said(browser: Any, server: PageServer) -> None:
    with serving(PageServer(server.database, server.script)) as url:
        tab = browser.new_page()
        tab.goto(f"{url}/page/")
        expect(tab.get_by_label("Database")).to_have_value("music shop")
    ask(tab, SPENT)
    expect(tab.locator(".answer").get_by_role("alert")).to_contain_text("There is no answer")
    tab.close()


def test_settings_go_with_the_next_question(tab: Any) -> None:
    tab.get_by_role("button", name="Settings").click()
    tab.get_by_label("Ask me before a query runs").check()
    tab.get_by_role("radio", name="Dark").check()
    tab.keyboard.press("Escape")
    with tab.expect_request("**/runs/stream") as waiting:
        ask(tab, SPENT)
    assert waiting.value.post_data_json["context"] == {"approve": True, "clarify": True}
    assert waiting.value.post_data_json["on_disconnect"] == "cancel"
    colour = tab.locator("body").evaluate("body => getComputedStyle(body).backgroundColor")
    assert colour == "rgb(20, 23, 26)"


def test_the_foot_says_what_is_known_and_what_is_not(tab: Any) -> None:
    foot = tab.locator("footer")
    expect(foot).to_contain_text("Model scripted")
    expect(foot).to_contain_text("Speed unknown")
    expect(foot).to_contain_text("of memory")


def test_all_of_it_works_from_the_keyboard(tab: Any) -> None:
    tab.get_by_label("Question", exact=True).focus()
    tab.keyboard.type(SPENT)
    tab.keyboard.press("Enter")
    expect(tab.locator(".result tbody tr")).to_have_count(6)
    seen = set()
    for _ in range(40):
        tab.keyboard.press("Tab")
        seen.add(tab.evaluate(FOCUSED))
    for wanted in ("Show SQL and rows", "Run", "Copy the SQL", "country", "Download as CSV", "Filter rows"):
        assert wanted in seen
    assert any("SQL, editable" in name for name in seen)


def test_a_question_sent_early_is_asked_once_the_databases_are_known(browser: Any, url: str) -> None:
    tab = browser.new_page()
    held: list[Any] = []
    tab.route("**/api/about", lambda route: held.append(route))
    tab.goto(f"{url}/page/")
    tab.get_by_label("Question", exact=True).fill(SPENT)
    tab.keyboard.press("Enter")
    expect(tab.get_by_role("button", name="Waiting")).to_be_visible()
    assert tab.locator(".turn").count() == 0
    held[0].continue_()
    expect(tab.locator(".result tbody tr")).to_have_count(6)
    tab.close()


FOCUSED = """() => {
  let at = document.activeElement;
  while (at.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
  const name = at.getAttribute("aria-label") ?? at.labels?.[0]?.innerText ?? at.innerText;
  return name.trim();
}"""


def test_on_a_phone_one_pane_is_shown_and_nothing_sticks_out(open_page: Callable[..., Any]) -> None:
    tab = open_page(**PHONE)
    ask_and_wait(tab, SPENT)
    assert tab.locator(".answer").count() == 0
    tab.get_by_role("button", name="Show SQL and rows").tap()
    expect(tab.locator(".result tbody tr")).to_have_count(6)
    tab.get_by_role("button", name="Run", exact=True).tap()
    expect(tab.locator(".result")).to_contain_text("From your run of the SQL")
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
    tab.get_by_role("button", name="Conversation", exact=True).tap()
    expect(tab.get_by_label("Question", exact=True)).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("device", ["desktop", "phone"])
def test_axe_finds_nothing_serious(open_page: Callable[..., Any], scheme: str, device: str) -> None:
    if not AXE.exists():
        pytest.skip("axe-core is not installed: npm ci in web/")
    tab = open_page(color_scheme=scheme, bypass_csp=True, **(PHONE if device == "phone" else {}))
    assert findings(tab) == []
    ask_and_wait(tab, "Which five customers spent the most on delivered orders?")
    if device == "phone":
        tab.get_by_role("button", name="Show SQL and rows").tap()
    tab.get_by_text("Time and tokens").click()
    assert findings(tab) == []
    tab.get_by_role("button", name="Tables", exact=True).click()
    tab.locator(".tree summary").first.click()
    assert findings(tab) == []
    tab.get_by_role("button", name="Close tables").click()
    for name in ("Settings", "History", "Verified"):
        tab.get_by_role("button", name=name, exact=True).click()
        assert findings(tab) == []
        tab.keyboard.press("Escape")
    if device == "phone":
        tab.get_by_role("button", name="Conversation", exact=True).tap()
    ask(tab, "Who are our best customers?")
    tab.get_by_role("dialog").wait_for()
    assert findings(tab) == []


def findings(tab: Any) -> list[str]:
    """What axe finds that is serious or critical."""
    if not tab.evaluate("'axe' in window"):
        tab.add_script_tag(path=AXE)
    found = tab.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{one['id']}: {[node['html'][:120] for node in one['nodes']]}"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
    ]
