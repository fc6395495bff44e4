"""Which questions are taken to be about something else."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from critiql.agent.context import Context
from critiql.agent.roles.abstain import off_topic
from critiql.graphs.catalogue import graph
from critiql.tools.database.open import get_database

FIXTURES = Path(__file__).parents[2] / "fixtures" / "agent"
CASES = [json.loads(line) for line in (FIXTURES / "abstention.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("case", CASES, ids=[case["question"][:40] or "empty" for case in CASES])
def test_a_question_that_names_nothing_is_off_topic(case: dict[str, object], shop: Path) -> None:
    assert (off_topic(str(case["question"]), get_database(str(shop))) is not None) == case["off"], case["why"]


def test_the_explanation_names_what_the_database_holds(shop: Path) -> None:
    reason = off_topic("What is the weather like in Lisbon tomorrow?", get_database(str(shop)))
    assert reason is not None
    assert "maker, item" in reason or "item, maker" in reason
    assert "say what these words mean" in reason


OFF = "What is the weather like in Lisbon tomorrow?"


def ask(shop: Path, question: str, **settings: Any) -> Any:
    given: Any = {"question": question, "database": str(shop), "evidence": settings.pop("evidence", "")}
    return graph("text_to_sql").invoke(given, context=Context(model="scripted", **settings))


def test_a_foreign_question_is_answered_with_the_reason(shop: Path, scripted: Callable[..., Any]) -> None:
    model = scripted(["SELECT forecast FROM weather"], [0.9])
    answer = ask(shop, OFF)
    assert (answer["status"], answer["stopped"], answer["sql"]) == ("abstained", "abstained", "")
    assert "maker" in answer["in_words"]
    assert answer["rows"] == []
    assert answer["messages"][-1].text == answer["in_words"]
    assert len(model.asked) == 1, "one query, and nothing after it"


def test_what_a_query_answers_is_answered_in_whatever_words(shop: Path, scripted: Callable[..., Any]) -> None:
    scripted(["SELECT name FROM maker"], [0.9])
    assert ask(shop, OFF)["rows"] == [["Alder"], ["Birch"]]


@pytest.mark.parametrize("settings", [{"abstain": False}, {"evidence": "Lisbon is a maker."}])
def test_a_caller_who_knows_more_is_answered(
    settings: dict[str, Any], shop: Path, scripted: Callable[..., Any]
) -> None:
    scripted(["SELECT name FROM maker"], [0.9])
    assert ask(shop, OFF, **settings)["rows"] == [["Alder"], ["Birch"]]
