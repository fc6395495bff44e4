"""The sample questions with a real model on other engines: SQL of that dialect, the rows SQLite gives."""

import pytest
from targets import sample_server

from critiql.agent.context import Context
from critiql.evals.studies.dialects import ask_all, questions

SMALL = Context(model="qwen2.5-coder-0.5b-instruct")
RIGHT = 7
"""Of the ten questions, how many the default model answers on every engine at least."""

pytestmark = [pytest.mark.model, pytest.mark.server]


def test_a_question_on_postgresql_with_a_small_model() -> None:
    url = sample_server("postgres").url("music_shop")
    (asked,) = ask_all(url, SMALL, questions()[:1])
    assert asked.verdict == "right", asked.answer.sql
    assert asked.answer.events[0]["dialect"] == "postgres"
    assert "reader-pass" not in repr(asked.answer)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["postgres", "mariadb"])
def test_ten_questions_with_the_default_model(kind: str) -> None:
    asked = list(ask_all(sample_server(kind).url("music_shop"), Context()))
    assert [one.answer.question for one in asked if one.verdict == "failed"] == []
    assert sum(one.verdict == "right" for one in asked) >= RIGHT
