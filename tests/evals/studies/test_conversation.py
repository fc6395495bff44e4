"""The conversations of the study: their queries run, and what counts as understood."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from critiql.evals.studies import conversation as study
from critiql.tools.database.open import get_database
from critiql.tools.database.result import Rows
from critiql.tools.database.sample.build import sample_database

pytestmark = pytest.mark.whole

ALL = study.conversations()
QUERIES = [turn["sql"] for each in ALL for turn in each["turns"] if turn.get("sql")]


def test_there_are_two_parts() -> None:
    assert [each["part"] for each in ALL].count("choosing") == 12
    assert [each["part"] for each in ALL].count("fresh") == 10
    assert all(len(each["turns"]) == 3 for each in ALL)


@pytest.mark.parametrize("sql", QUERIES)
def test_each_query_gives_one_number(sql: str) -> None:
    result = get_database(sample_database()).run(sql)
    assert isinstance(result, Rows)
    assert study.rows_match(sql, result.rows)
    assert not study.rows_match(sql, [[-1]])
    assert not study.rows_match(sql, None)


@pytest.mark.parametrize(
    ("question", "understood"),
    [
        ("Show the three cheapest albums.", True),
        ("Show the three least expensive albums.", True),
        ("Show the cheapest albums.", False),
        ("Show the three most expensive and cheapest albums.", False),
    ],
)
def test_what_counts_as_understood(question: str, understood: bool) -> None:
    turn = {"must": ["three", "cheap|least expensive", "album"], "never": ["most expensive"]}
    assert study.understood(question, turn) == understood


def test_a_piece_holds_what_was_not_held(
    scripted: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(study, "conversations", lambda: ALL[:2])
    model = scripted(["How many customers are there in Germany?"], [0.1])
    file = tmp_path / "held.jsonl"
    study.main(file, "scripted", "", answers=False, seconds=100, only_report=False)
    held = study.read(file)
    assert [one["conversation"] for one in held] == [0, 0, 1, 1]
    assert [one["understood"] for one in held] == [True, False, False, False]
    asked = len(model.asked)
    study.main(file, "scripted", "", answers=False, seconds=100, only_report=False)
    assert len(model.asked) == asked
    assert study.report(held)["choosing"]["understood"] == 1
    assert study.report(held)["fresh"]["follow-ups"] == 0


def test_answers_are_compared(scripted: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    scripted(["SELECT 1", "How many customers are there in Germany?", QUERIES[0]], [0.1])
    held = list(study.answered(ALL[0], "scripted"))
    assert held[0]["understood"]
    assert held[0]["right"]
    assert held[1]["right"] is None
