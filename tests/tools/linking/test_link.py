"""Spans of a question and what they name in the library."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from critiql.tools.database.engine import Database
from critiql.tools.linking.link import link, mentioned_values, question_spans
from critiql.tools.linking.value_index import open_value_index

CASES = Path(__file__).parents[2] / "fixtures" / "schema" / "links.jsonl"


def cases() -> list[dict[str, Any]]:
    return [json.loads(line) for line in CASES.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("case", cases(), ids=lambda case: case["question"])
def test_links(case: dict[str, Any], library: Database, tmp_path: Path) -> None:
    with open_value_index(library, tmp_path / "v") as index:
        links = link(case["question"], library.schema(), index)
    found = [[each.span.text, each.kind, each.table, each.column, each.value] for each in links]
    assert [each for each in found if "partial" not in each[1]] == case["links"]
    for each in links:
        assert case["question"][each.span.start : each.span.end] == each.span.text
        assert 0 < each.score <= 100


def test_partial_names(library: Database) -> None:
    links = link("Who has the longest remaining mark?", library.schema())
    assert [(each.span.text, each.kind, each.column) for each in links] == [
        ("mark", "column_partial", "shelf mark")
    ]
    assert links[0].score < 100


def test_without_an_index_no_values_are_linked(library: Database) -> None:
    assert all(each.value is None for each in link("Books by Ida Strand about Salt", library.schema()))


def test_spans_drop_stop_words_and_keep_offsets() -> None:
    question = "What is the name of the oldest author?"
    texts = [span.text for span in question_spans(question)]
    assert texts == [
        "name of the oldest author",
        "name of the oldest",
        "name",
        "oldest author",
        "oldest",
        "author",
    ]
    assert question_spans("what is the?") == []


def test_quoted_text_is_one_span() -> None:
    spans = [span for span in question_spans("Who wrote 'The Salt of It' or “Rain”?") if span.quoted]
    assert [span.text for span in spans] == ["The Salt of It", "Rain"]


@given(st.text(max_size=150))
def test_spans_are_pieces_of_any_question(question: str) -> None:
    for span in question_spans(question):
        assert question[span.start : span.end] == span.text


@pytest.mark.parametrize(
    ("question", "lines"),
    [
        ("Authors from South America", ("country.continent = 'South America' for \"South America\"",)),
        ("How many members?", ()),
        ("Is Harbor older?", ("branch.district = 'Harbour' for \"Harbor\"",)),
    ],
)
def test_mentioned_values(question: str, lines: tuple[str, ...], library: Database, tmp_path: Path) -> None:
    with open_value_index(library, tmp_path / "v") as index:
        assert mentioned_values(link(question, library.schema(), index)) == lines
