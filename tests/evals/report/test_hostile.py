"""Hostile text of a run is only shown by its report: no element more on the page, nothing that hides."""

import json
import re
from collections.abc import Callable, Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from critiql.evals.data.item import Item
from critiql.evals.report.page import write_report
from critiql.evals.run.store import RunSpec, Store, StoredAnswer
from critiql.tools.schema.quoting import CONTROL

CASES = Path(__file__).parents[2] / "fixtures/attacks/hostile_display.jsonl"
TEXTS = [json.loads(line)["text"] for line in CASES.read_text(encoding="utf-8").splitlines()]
FIGURES = {"path", "use", "g", "defs", "text", "clippath", "rect"}
"""Elements that a letter of a figure's label may be."""
EMPHASIS = re.compile("text|code_inline|(em|strong|s)_(open|close)")

Pages = tuple[str, str]


class Page(HTMLParser):
    """Elements and attributes of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.made: list[tuple[str, tuple[str, ...]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag not in FIGURES:
            self.made.append((tag, tuple(name for name, _ in attributes)))


def report(texts: Sequence[str], folder: Path, stored: Callable[..., StoredAnswer]) -> Pages:
    """Page and table of one run: each answer holds one of the texts everywhere, the run all of them."""
    store = Store(None)
    label = " ".join(texts)
    spec = RunSpec("loop", label, label, label, {label: label}, {"x": label}, "c0")
    run = store.begin(spec, "commit", "machine", label)
    questions = {}
    for index, text in enumerate(texts):
        execution = {"ok": False, "message": text, "kind": "other"}
        candidate = {"id": 0, "sql": text, "origin": text, "execution": execution, "verdict": text}
        candidate |= {"p_true": 0.5, "findings": [{"type": text}], "correct": True}
        more = {"db_id": text, "difficulty": text, "sql": text, "stopped": text, "candidates": [candidate]}
        store.add(run, stored(index, True, decisions=[{"reason": text}], error=text, **more))
        questions[label, index] = Item(label, index, text, Path("x"), text, text)
    page = write_report(store, folder, questions)
    return page.read_text(encoding="utf-8"), (folder / "table.md").read_text(encoding="utf-8")


@pytest.fixture
def pages(tmp_path: Path, make_stored: Callable[..., StoredAnswer]) -> tuple[Pages, Pages]:
    """The report of hostile texts, and that of as many harmless ones."""
    plain = [f"plain {number}" for number in range(len(TEXTS))]
    return report(TEXTS, tmp_path / "a", make_stored), report(plain, tmp_path / "b", make_stored)


def test_the_report_has_no_element_more(pages: tuple[Pages, Pages]) -> None:
    (page, table), (plain_page, plain_table) = pages
    assert Page(page).made == Page(plain_page).made
    assert elements(table) == elements(plain_table)
    assert only_shown(page)
    assert only_shown(table)
    data = re.search(r'id="data">(.*?)</script>', page, re.DOTALL)
    assert data
    answers = json.loads(data[1])
    assert len(answers) == len(TEXTS)
    assert all(map(only_shown, texts_of(answers)))


def only_shown(text: str) -> bool:
    """Whether nothing in it hides or steers; lines may end."""
    return not CONTROL.search(text.replace("\n", ""))


def elements(markdown: str) -> list[str]:
    """Kinds of elements of a Markdown text, but for words and their emphasis, which harms nobody."""
    reader = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    tokens = [part for token in reader.parse(markdown) for part in (token, *(token.children or ()))]
    return [token.type for token in tokens if not EMPHASIS.fullmatch(token.type)]


def texts_of(value: Any) -> list[str]:
    """Every text of a JSON value."""
    if isinstance(value, dict):
        return [text for part in value.values() for text in texts_of(part)]
    if isinstance(value, list):
        return [text for part in value for text in texts_of(part)]
    return [value] if isinstance(value, str) else []
