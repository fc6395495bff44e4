"""What each role of text_to_sql does when its model fails for good, with models that fail on script."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from critiql.agent.context import Context
from critiql.cli.main import app
from critiql.graphs.api import ask
from critiql.tools.models.model import ContextOverflowError, ModelError, TransientModelError

QUESTION = "How many items are there?"
RIGHT = "SELECT COUNT(*) FROM item"
BROKEN = "SELECT COUNT(*) FROM item WHERE nothing_of_the_sort = 1"
FAILURES = [
    ModelError("it refused the call"),
    ContextOverflowError("the prompt does not fit"),
]


def failing(error: Exception) -> Callable[..., Any]:
    def call(*_: Any, **__: Any) -> Any:
        raise error

    return call


def after(texts: Sequence[str], error: Exception) -> Callable[..., Any]:
    """Let a scripted model's `generate` give so many texts, then fail."""
    left = list(texts)

    def wrap(generate: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any) -> Any:
            if not left:
                raise error
            left.pop()
            return generate(*given)

        return call

    return wrap


@pytest.mark.parametrize("error", FAILURES, ids=lambda error: type(error).__name__)
def test_a_critic_that_fails_approves_nothing(
    error: Exception, scripted: Callable[..., Any], shop: Path
) -> None:
    model = scripted([RIGHT])
    model.choose = failing(error)
    found = ask(QUESTION, shop, context=Context(model="scripted", llm_critic="raw", z=2))
    assert (found.sql, found.rows, found.status) == (RIGHT, [[3]], "unverified")
    assert {candidate["verdict"] for candidate in found.candidates} == {"unknown"}
    assert found.confidence is None


@pytest.mark.parametrize("error", FAILURES, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("refine", [True, False], ids=["refiner", "later draw"])
def test_the_incumbent_answers_when_a_later_draft_fails(
    refine: bool, error: Exception, scripted: Callable[..., Any], shop: Path
) -> None:
    model = scripted([RIGHT], [0.1])
    model.generate = after([RIGHT], error)(model.generate)
    context = Context(model="scripted", llm_critic="raw", z=3, refine=refine)
    if refine:
        model.texts = [BROKEN]
    found = ask(QUESTION, shop, context=context)
    assert found.stopped == "model_failed"
    assert found.sql == (BROKEN if refine else RIGHT)
    assert found.status == ("failed" if refine else "unverified")


@pytest.mark.parametrize("error", FAILURES, ids=lambda error: type(error).__name__)
def test_the_first_draft_reports_its_failure(
    error: Exception, scripted: Callable[..., Any], shop: Path
) -> None:
    scripted([RIGHT]).generate = failing(error)
    with pytest.raises(type(error), match=str(error)):
        ask(QUESTION, shop, context=Context(model="scripted"))


def test_the_command_says_it_in_a_sentence(scripted: Callable[..., Any], shop: Path) -> None:
    scripted([RIGHT]).generate = failing(ModelError("it refused the call"))
    said = CliRunner().invoke(app, ["ask", QUESTION, "--db", str(shop), "--model", "scripted"])
    assert said.exit_code == 4
    assert said.stderr.splitlines()[-1] == "it refused the call"


@pytest.mark.parametrize("critic", ["raw", "off"])
def test_an_error_that_is_not_a_models_is_not_hidden(
    critic: str, scripted: Callable[..., Any], shop: Path
) -> None:
    model = scripted([BROKEN if critic == "off" else RIGHT], [0.1])
    model.generate = after([RIGHT], ZeroDivisionError("a bug"))(model.generate)
    with pytest.raises(ZeroDivisionError):
        ask(QUESTION, shop, context=Context(model="scripted", llm_critic=critic, z=3))


@pytest.mark.parametrize("text", ["", "   "])
@pytest.mark.parametrize("execution", [True, False])
def test_an_empty_answer_is_a_candidate_that_fails(
    execution: bool, text: str, scripted: Callable[..., Any], shop: Path
) -> None:
    scripted([text, RIGHT], [0.5])
    context = Context(model="scripted", llm_critic="raw", z=2, execution=execution)
    found = ask(QUESTION, shop, context=context)
    first = found.candidates[0]
    if execution:
        assert first["execution"]["kind"] == "empty"
        assert found.sql == RIGHT
    else:
        assert found.status == "failed"


def test_wrong_json_and_prose_are_candidates_that_fail(scripted: Callable[..., Any], shop: Path) -> None:
    for text in ('{"answer": ', "I am sorry, I cannot help with that."):
        scripted([text, RIGHT], [0.5])
        found = ask(QUESTION, shop, context=Context(model="scripted", llm_critic="raw", z=2))
        assert found.candidates[0]["execution"]["ok"] is False
        assert found.sql == RIGHT


@pytest.mark.parametrize("error", FAILURES, ids=lambda error: type(error).__name__)
def test_without_a_critic_a_query_that_runs_still_displaces_one_that_fails(
    error: Exception, scripted: Callable[..., Any], shop: Path
) -> None:
    model = scripted(["SELECT COUNT(*) FROM itm", RIGHT])
    model.choose = failing(error)
    found = ask(QUESTION, shop, context=Context(model="scripted", llm_critic="raw", z=2))
    assert found.rows == [[3]]
    assert found.status == "unverified"


def test_what_may_pass_is_tried_three_times(scripted: Callable[..., Any], shop: Path) -> None:
    model, asked = scripted([RIGHT]), []

    def busy(*given: Any) -> Any:
        asked.append(given)
        raise TransientModelError("it is busy")

    model.choose = busy
    found = ask(QUESTION, shop, context=Context(model="scripted", llm_critic="raw", z=2))
    assert len(asked) == 3
    assert (found.rows, found.status) == ([[3]], "unverified")
