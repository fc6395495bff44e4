"""How close two names are."""

import json
from pathlib import Path
from typing import Any

import pytest

from critiql.tools.sql.names import identifier, one_close, similarity

CASES = Path(__file__).parents[2] / "fixtures" / "sql" / "names.jsonl"


def cases() -> list[dict[str, Any]]:
    return [json.loads(line) for line in CASES.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("case", cases(), ids=lambda case: f"{case['name']}-{case['other']}")
def test_similarity(case: dict[str, Any]) -> None:
    assert case["least"] <= similarity(case["name"], case["other"], case["table"]) <= case.get("most", 100)


def test_one_close() -> None:
    assert one_close({"title": 90.0, "tilde": 60.0}) == "title"
    assert one_close({"first_name": 84.0, "last_name": 84.0}) is None
    assert one_close({"title": 70.0}) is None
    assert one_close({}) is None


@pytest.mark.parametrize(
    ("name", "sql"), [("title", "title"), ("shelf mark", '"shelf mark"'), ("order", '"order"')]
)
def test_identifier(name: str, sql: str) -> None:
    assert identifier(name).sql("sqlite") == sql
