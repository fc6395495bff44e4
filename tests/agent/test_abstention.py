"""Which questions are taken to be about something else."""

import json
from pathlib import Path

import pytest

from critiql.agent.abstention import off_topic
from critiql.tools.database.open import get_database

FIXTURES = Path(__file__).parents[1] / "fixtures" / "agent"
CASES = [json.loads(line) for line in (FIXTURES / "abstention.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("case", CASES, ids=[case["question"][:40] or "empty" for case in CASES])
def test_a_question_that_names_nothing_is_off_topic(case: dict[str, object], shop: Path) -> None:
    assert (off_topic(str(case["question"]), get_database(str(shop))) is not None) == case["off"], case["why"]


def test_values_are_looked_up_only_where_they_may_be(shop: Path) -> None:
    question = "How many of those come from Peru?"
    assert off_topic(question, get_database(str(shop)), values=False) is not None


def test_the_explanation_names_what_the_database_holds(shop: Path) -> None:
    reason = off_topic("What is the weather like in Lisbon tomorrow?", get_database(str(shop)))
    assert reason is not None
    assert "maker, item" in reason or "item, maker" in reason
    assert "abstain=false" in reason
