"""SQL out of a model's answer."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from critiql.tools.sql.extract import extract_sql

CASES = Path(__file__).parents[2] / "fixtures" / "sql" / "extract.jsonl"


def cases() -> list[dict[str, Any]]:
    return [json.loads(line) for line in CASES.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("case", cases(), ids=lambda case: case["text"][:40])
def test_extract(case: dict[str, Any]) -> None:
    assert extract_sql(case["text"]) == case["sql"]


@given(st.text(max_size=200))
def test_never_raises_and_is_part_of_the_text(text: str) -> None:
    assert extract_sql(text).split()[:1] == [] or extract_sql(text)[:1] in text


def test_a_long_answer_is_read_quickly() -> None:
    assert extract_sql("x ' " * 200_000 + "SELECT a FROM t").endswith("SELECT a FROM t")
