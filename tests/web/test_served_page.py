"""The page of `critiql serve` over the sample database; its model is an endpoint that takes two seconds."""

from collections.abc import Iterator
from typing import Any

import pytest
from page_hands import ask, sql_of
from served import CUSTOMERS, HOW_MANY, Served, serving_sample

api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = api.expect
pytestmark = [pytest.mark.server, pytest.mark.enable_socket]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    pytest.importorskip("langgraph_api", reason="needs critiql[serve]")
    with serving_sample(tmp_path_factory.mktemp("served"), latency=2.0) as place:
        yield place


def test_progress_is_seen_before_the_answer(served: Served, browser: Any) -> None:
    tab = browser.new_page(viewport={"width": 1360, "height": 900})
    tab.goto(f"{served.url}/page/")
    ask(tab, HOW_MANY)
    reply = tab.locator(".turn").last.locator(".reply")
    expect(reply.locator(".going")).to_contain_text("The model writes the query")
    expect(tab.locator(".timeline .step.live")).to_be_visible()
    expect(tab.locator(".timeline")).to_contain_text("7 tables")
    assert tab.locator(".result").count() == 0, "no rows yet"
    expect(tab.locator(".result tbody td")).to_have_text("250")
    expect(reply).to_have_attribute("aria-busy", "false")
    assert sql_of(tab) == CUSTOMERS
    tab.close()
