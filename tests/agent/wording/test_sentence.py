"""Answers in words: fixed cases, and that no number is invented."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from critiql.agent.wording.sentence import plain, sentence, unmarked
from critiql.tools.database.result import Failure, Rows
from critiql.tools.schema.quoting import escape, shown_number

CASES = [
    json.loads(line)
    for line in (Path(__file__).parents[2] / "fixtures/agent/wording.jsonl").read_text().splitlines()
]
NUMBER = re.compile(r"\d+")


def rows(columns: list[str], cells: list[Any], *, truncated: bool = False) -> Rows:
    return Rows(tuple(columns), ("",) * len(columns), tuple(map(tuple, cells)), truncated, 0.0)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_case(case: dict[str, Any]) -> None:
    found = sentence(rows(case["columns"], case["rows"], truncated=case.get("truncated", False)))
    assert found == case["text"]


def test_a_failure_is_told() -> None:
    assert sentence(Failure("other", "no such table: x", 0.0)) == "The query failed: no such table: x"


CELL = st.none() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=120) | st.binary(max_size=3)


@given(st.lists(st.tuples(CELL, CELL), max_size=9), st.booleans())
def test_every_number_stands_in_the_rows_or_counts_them(cells: list[Any], truncated: bool) -> None:
    """As often as in the one row that is told, or for the count."""
    allowed = Counter([str(len(cells))])
    for value in (value for row in cells[:1] for value in row):
        if not isinstance(value, bytes):
            text = shown_number(value) if isinstance(value, float) else str(value)
            allowed += Counter(NUMBER.findall(plain(text)))
    found = Counter(NUMBER.findall(sentence(rows(["a", "b"], cells, truncated=truncated))))
    assert not found - allowed


@given(st.text())
def test_no_mark_and_no_control_character_is_left(text: str) -> None:
    shown = plain(text)
    assert not re.search(r"(?<!\\)(?:\\\\)*[`*_\[\]<>|]", shown)
    assert shown.isprintable() or not re.search(r"[\x00-\x1f\x7f]", shown)


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=("Cc", "Cf", "Zl", "Zp", "Cs"))))
def test_a_terminal_reads_what_was_meant(text: str) -> None:
    assert unmarked(plain(text)) == escape(text)


def test_a_sum_is_shown_without_the_noise_of_its_last_digits() -> None:
    assert sentence(rows(["total"], [[4546.749999999988]])) == "The total is 4546.75."
    assert sentence(rows(["total"], [[0.1 + 0.2]])) == "The total is 0.3."
