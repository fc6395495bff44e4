"""Two readings: only candidates that both stand and return different rows are put to a person, in words."""

from typing import Any

import pytest

from critiql.agent.assistant.readings import standing_pair, two_readings


def candidate(identifier: int, sql: str, rows: str, **more: Any) -> dict[str, Any]:
    execution = {
        "ok": more.pop("ok", True),
        "kind": None,
        "message": None,
        "name": None,
        "columns": ["n"],
        "rows": [[identifier]],
        "row_count": more.pop("row_count", 1),
        "truncated": False,
        "rows_fingerprint": rows,
        "null_columns": 0,
        "seconds": 0.0,
    }
    return {"id": identifier, "sql": sql, "origin": "actor", "execution": execution, "findings": [], **more}


OWN = candidate(0, "SELECT COUNT(*) FROM item", "a", verdict="unknown")
OTHER = "SELECT COUNT(DISTINCT maker_id) FROM item"


@pytest.mark.parametrize(
    ("rival", "asked"),
    [
        (candidate(1, OTHER, "b", verdict="unknown"), True),
        (candidate(1, OTHER, "b", verdict="accepted"), True),
        (candidate(1, OTHER, "b", verdict="rejected"), False),
        (candidate(1, OTHER, "a", verdict="accepted"), False),
        (candidate(1, OTHER, "b", ok=False), False),
        (candidate(1, OTHER, "b", row_count=0), False),
        (candidate(1, OTHER, "b", findings=[{"type": "joins", "source": "rules"}]), False),
    ],
    ids=["stands", "preferred", "rejected", "same rows", "fails", "no rows", "has a finding"],
)
def test_when_a_person_is_asked(rival: dict[str, Any], asked: bool) -> None:
    assert (standing_pair({"candidates": [OWN, rival], "incumbent": 0}) is not None) == asked


def test_an_incumbent_in_doubt_is_no_reading() -> None:
    doubtful = {**OWN, "findings": [{"type": "joins"}]}
    rival = candidate(1, OTHER, "b", verdict="accepted")
    assert standing_pair({"candidates": [doubtful, rival], "incumbent": 0}) is None
    assert standing_pair({"candidates": [], "incumbent": None}) is None


def test_the_words_say_what_differs_and_what_comes_back() -> None:
    rival = candidate(1, "SELECT COUNT(*) FROM item WHERE price > 50", "b", verdict="unknown")
    readings = two_readings({"candidates": [OWN, rival], "incumbent": 0}, "sqlite")
    assert readings is not None
    assert readings[1].words.startswith("Keep the rows where price")
    assert "It returns 1." in readings[1].words
    assert "Keep the rows" not in readings[0].words
