"""What a person does on the page, for its tests."""

from typing import Any


def ask(tab: Any, question: str) -> None:
    """Type a question and send it."""
    field = tab.get_by_label("Question", exact=True)
    field.fill(question)
    tab.locator(".composer button:enabled", has_text="Ask").wait_for()
    field.press("Enter")


def ask_and_wait(tab: Any, question: str) -> None:
    """Ask, and wait for what comes of it."""
    turns = tab.locator(".turn").count()
    ask(tab, question)
    tab.locator(".turn").nth(turns).locator(".reply[aria-busy=false]").wait_for()


def sql_of(tab: Any) -> str:
    """The text in the editor."""
    lines: list[str] = tab.locator(".sql .editor:not(.shown) .cm-line").all_inner_texts()
    return "\n".join(line.removesuffix("\n") for line in lines)


def write_sql(tab: Any, text: str) -> None:
    """Put a text into the editor in the place of what is there."""
    tab.locator(".sql .editor:not(.shown) .cm-content").click()
    tab.keyboard.press("Control+a")
    tab.keyboard.press("Delete")
    tab.keyboard.insert_text(text)


def cells(tab: Any) -> list[list[str]]:
    """The rows of the table that is shown."""
    rows = tab.locator(".result tbody tr")
    return [rows.nth(place).locator("td").all_inner_texts() for place in range(rows.count())]
