"""A message that leans on earlier turns becomes a question by itself, or nothing worse than both together."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from critiql.agent.assistant.conversation import Choices, Turn
from critiql.agent.assistant.follow_up import bare, checked, follow_up, leans, meant
from critiql.agent.context import Context
from critiql.tools.database.open import get_database
from critiql.tools.database.sample.build import sample_database

FOLDER = Path(__file__).parents[2] / "fixtures/agent/assistant"
CASES = [json.loads(line) for line in (FOLDER / "follow_up.jsonl").read_text().splitlines()]


def turn(question: str) -> Turn:
    return Turn(said=question, question=question, tool="ask", text="", answer=None, chart=None)


def test_only_what_leans_on_earlier_turns_is_rewritten() -> None:
    schema = get_database(sample_database()).schema()
    assert [case["said"] for case in CASES if leans(case["said"], schema) != case["leans"]] == []


@pytest.mark.parametrize(
    ("written", "question"),
    [
        ("How many albums came out in 2020?", "How many albums came out in 2020?"),
        ("How many albums came out in 2019?", "How many came out in 2019? Now: and in 2020?"),
        ("SELECT COUNT(*) FROM albums WHERE year = 2020", "How many came out in 2019? Now: and in 2020?"),
        ("", "How many came out in 2019? Now: and in 2020?"),
        ("2020 " * 100, "How many came out in 2019? Now: and in 2020?"),
    ],
    ids=["good", "number lost", "SQL", "empty", "long"],
)
def test_a_rewriting_is_not_trusted_blindly(written: str, question: str) -> None:
    assert checked(written, "and in 2020?", [turn("How many came out in 2019?")]) == question


@pytest.mark.parametrize(
    ("last", "said", "written", "is_trusted"),
    [
        ("How many customers live in Germany?", "who of them spent most?", "Who spent most?", False),
        ("How many customers live in Germany?", "who of them spent most?", "Which German spent most?", True),
        ("Which albums came out before 1980?", "how many of those are cheap?", "How many are cheap?", False),
        ("How many customers live in Germany?", "and in Japan?", "How many customers live in Japan?", True),
        ("Which Albums are cheap?", "who made them?", "Who made the cheap Albums?", True),
    ],
)
def test_who_they_are_is_not_lost(last: str, said: str, written: str, is_trusted: bool) -> None:
    expected = written if is_trusted else f"{last} Now: {said}"
    assert checked(written, said, [turn(last)]) == expected


@pytest.mark.parametrize(
    ("said", "questions"),
    [("and before 1980?", ["second"]), ("which of the two is higher?", ["first", "second"])],
)
def test_only_the_last_question_counts_unless_several_are_spoken_of(said: str, questions: list[str]) -> None:
    turns = [turn("first"), turn("second"), {**turn("chart it"), "tool": "chart"}]
    assert [one["question"] for one in meant(said, turns)] == questions


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("and before 1980?", "before 1980?"),
        ("And, now?", "now?"),
        ("and", "and"),
        ("android phones", "android phones"),
    ],
)
def test_a_joining_word_is_not_shown_to_the_model(said: str, shown: str) -> None:
    assert bare(said) == shown


def test_the_model_sees_the_earlier_questions(scripted: Callable[..., Any], shop: Path) -> None:
    model = scripted(["How many items of Alder cost more than 50?"])
    state: Any = {
        "said": "and more than 50?",
        "database": str(shop),
        "turns": [turn("How many items of Alder are there?"), {**turn("chart it"), "tool": "chart"}],
    }
    update = follow_up(state, Choices(settings=Context(model="scripted")))
    assert update["question"] == "How many items of Alder cost more than 50?"
    request = model.asked[0][1].request
    assert "- How many items of Alder are there?" in request
    assert "chart it" not in request


@pytest.mark.model
@pytest.mark.slow
def test_the_small_model_rewrites_most_of_them() -> None:
    context = Context(model="qwen2.5-coder-1.5b-instruct")
    right = 0
    for case in (case for case in CASES if case["leans"]):
        state: Any = {"said": case["said"], "turns": [turn(question) for question in case["earlier"]]}
        question = follow_up(state, Choices(settings=context))["question"].lower()
        has_all = all(word.lower() in question for word in case["must"])
        right += has_all and not any(word.lower() in question for word in case["never"])
    assert right >= 7
