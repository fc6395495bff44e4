"""The conversation: the trace as it happens, follow-ups, being asked, stopping, failing, coming back."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from page_hands import ask, ask_and_wait, cells, sql_of, write_sql
from page_server import PageServer

api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = api.expect
pytestmark = [pytest.mark.server, pytest.mark.enable_socket]

SPENT = "How much did each country spend?"
REPAIRED = "Which five customers spent the most on delivered orders?"
OURS = re.compile(r"candidate|incumbent|challenger|critic|refiner|actor\b|P\(True\)|displace", re.IGNORECASE)


def test_an_answer_shows_every_query_that_was_tried_and_why_one_took_anothers_place(tab: Any) -> None:
    ask_and_wait(tab, REPAIRED)
    expect(tab.locator(".verdict")).to_contain_text("Chance of being right: unknown")
    steps = tab.locator(".timeline .step")
    expect(steps.filter(has_text="Query 1").first).to_contain_text("no such column")
    expect(steps.filter(has_text="Query 1").first).to_contain_text("Table missing:")
    underlined = steps.filter(has_text="Query 1").first.locator(".cm-lintRange-error")
    expect(underlined).to_have_text("oi.price")
    mended = steps.filter(has_text="mended by rule").first
    expect(mended).to_contain_text("Query 2 replaces Query 1: Query 1 does not run.")
    expect(mended.locator(".cm-deletedChunk").first).to_contain_text("oi.price")
    expect(mended.locator(".cm-changedLine").last).to_contain_text("JOIN albums")
    expect(mended).to_contain_text("5 rows")
    assert "albums.price" in sql_of(tab)
    tab.get_by_text("Time and tokens").click()
    expect(tab.locator(".costs tbody tr").first).to_contain_text("Writing")


def test_no_word_of_ours_is_on_the_page(tab: Any) -> None:
    ask_and_wait(tab, REPAIRED)
    ask_and_wait(tab, "Which albums does nobody own?")
    for summary in tab.locator(".timeline summary").all():
        if summary.locator("xpath=..").get_attribute("open") is None:
            summary.click()
    assert OURS.findall(tab.locator("body").inner_text()) == []


def test_a_follow_up_says_how_it_was_understood(tab: Any) -> None:
    ask_and_wait(tab, SPENT)
    expect(tab.locator(".verdict")).to_contain_text("about 82 in 100")
    ask_and_wait(tab, "and only in 2023?")
    expect(tab.locator(".turn").last).to_contain_text(
        "Understood as: How much did each country spend in 2023?"
    )
    expect(tab.locator("h1.question")).to_have_text("How much did each country spend in 2023?")
    assert "2023%" in sql_of(tab)


def test_a_chart_of_the_last_rows_needs_no_new_query(tab: Any) -> None:
    ask_and_wait(tab, SPENT)
    ask_and_wait(tab, "draw that as a chart")
    expect(tab.locator(".vega canvas")).to_be_visible()
    expect(tab.locator(".turn").last.locator(".reply")).to_contain_text("A chart of the rows")


def test_a_reply_without_a_query_leaves_the_answer_in_view_and_its_markup_is_text(tab: Any) -> None:
    ask_and_wait(tab, SPENT)
    ask_and_wait(tab, "Which tables are there?")
    reply = tab.locator(".turn").last.locator(".reply")
    expect(reply.locator("li")).to_have_count(2)
    expect(reply).to_contain_text("<img src=x")
    assert reply.locator("img, a").count() == 0
    expect(tab.locator("h1.question")).to_have_text(SPENT)
    assert tab.title() == "Critiql"


def test_the_person_is_asked_which_reading_is_meant(tab: Any) -> None:
    ask(tab, "Who are our best customers?")
    dialog = tab.get_by_role("dialog", name="What do you mean?")
    expect(dialog.get_by_role("radio", name="most money spent")).to_be_checked()
    dialog.get_by_role("radio", name="most orders").check()
    dialog.get_by_role("button", name="This is what I mean").click()
    expect(tab.locator(".result tbody tr")).to_have_count(1)
    assert cells(tab) == [["Emi Ito", "14"]]


def test_a_dialog_that_was_closed_can_be_opened_again_and_own_words_are_taken(tab: Any) -> None:
    ask(tab, "Who are our best customers?")
    tab.get_by_role("dialog").wait_for()
    tab.keyboard.press("Escape")
    expect(tab.get_by_role("dialog")).to_have_count(0)
    expect(tab.get_by_role("button", name="Ask", exact=True)).to_be_disabled()
    tab.locator(".turn").last.get_by_role("button", name="Decide").click()
    tab.get_by_label("Say it in your own words").fill(SPENT)
    tab.get_by_role("button", name="Ask it like this").click()
    expect(tab.locator(".result tbody tr")).to_have_count(6)


@pytest.mark.parametrize(
    ("button", "edited", "expected"),
    [("Run it", "", "250"), ("Run my version", "SELECT 7 AS customers", "7")],
)
def test_a_query_runs_after_consent_as_it_is_shown(tab: Any, button: str, edited: str, expected: str) -> None:
    ask(tab, "How many customers are there?")
    dialog = tab.get_by_role("dialog", name="Run this query?")
    expect(dialog).to_contain_text("This query would run. May it?")
    if edited:
        dialog.locator(".cm-content").click()
        tab.keyboard.press("Control+a")
        tab.keyboard.press("Delete")
        tab.keyboard.insert_text(edited)
    dialog.get_by_role("button", name=button, exact=True).click()
    expect(tab.locator(".result tbody td")).to_have_text(expected)


def test_a_query_that_is_refused_is_not_run(tab: Any) -> None:
    ask(tab, "How many customers are there?")
    tab.get_by_role("dialog").get_by_role("button", name="Do not run it").click()
    expect(tab.locator(".turn").last.locator(".reply")).to_contain_text("The query was not run.")
    assert tab.locator(".result").count() == 0


def test_a_run_can_be_stopped_and_asked_again(tab: Any, server: PageServer) -> None:
    ask(tab, "Think for long")
    expect(tab.locator(".turn .going")).to_contain_text("s")
    tab.locator(".composer").get_by_role("button", name="Stop").click()
    expect(tab.locator(".turn").last).to_contain_text("Stopped by you.")
    expect(tab.get_by_role("button", name="Ask again")).to_be_visible()
    assert len(server.cancelled) == 1
    ask_and_wait(tab, SPENT)
    expect(tab.locator(".result tbody tr")).to_have_count(6)


def test_what_fails_is_said(tab: Any) -> None:
    ask_and_wait(tab, "Break down")
    alert = tab.locator(".answer").get_by_role("alert")
    expect(alert).to_contain_text("The model does not answer: connection refused.")
    ask_and_wait(tab, "Use the wrong model")
    expect(tab.locator(".answer").get_by_role("alert")).to_contain_text("Pull it with `critiql models pull`.")


def test_a_conversation_is_found_again_by_its_link_and_in_the_history(
    tab: Any, open_page: Callable[..., Any]
) -> None:
    ask_and_wait(tab, SPENT)
    ask_and_wait(tab, "Which tables are there?")
    assert re.fullmatch(r".*/page/#/c/[\w-]+", tab.url)
    again = open_page(tab.url.rsplit("/page/", 1)[1])
    expect(again.locator(".turn")).to_have_count(2)
    expect(again.locator(".result tbody tr")).to_have_count(6)
    expect(again.locator(".timeline .step").filter(has_text="Query 1")).to_have_count(1)
    again.get_by_role("button", name="New", exact=True).click()
    expect(again.locator(".turn")).to_have_count(0)
    again.get_by_role("button", name="History").click()
    again.get_by_role("link", name=SPENT).click()
    expect(again.locator(".turn")).to_have_count(2)
    again.get_by_role("button", name="History").click()
    again.get_by_role("button", name=f"Delete: {SPENT}").click()
    expect(again.get_by_role("dialog")).to_contain_text("None yet.")


def test_a_link_to_nothing_says_so(open_page: Callable[..., Any]) -> None:
    tab = open_page("#/c/none")
    expect(tab.get_by_role("alert")).to_contain_text("This conversation cannot be opened")


def test_edited_sql_survives_another_question(tab: Any) -> None:
    ask_and_wait(tab, SPENT)
    write_sql(tab, "SELECT 1 AS mine")
    ask_and_wait(tab, "Which orders are from 1950?")
    expect(tab.locator("h1.question")).to_have_text("Which orders are from 1950?")
    assert "1950" in sql_of(tab)
