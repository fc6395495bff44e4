"""What each role does when its model fails for good, in every graph, with models that fail on script."""

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from critiql.agent.context import Context
from critiql.agent.decide import calibration
from critiql.agent.decide.record_files import CalibrationError
from critiql.cli.main import app
from critiql.graphs.api import ask
from critiql.graphs.catalogue import GRAPHS, graph
from critiql.graphs.policies import MODEL_RETRY
from critiql.tools.models.local import weights
from critiql.tools.models.model import (
    ChoiceReading,
    ContextOverflowError,
    ModelError,
    TransientModelError,
    Usage,
)

pytestmark = pytest.mark.process

QUESTION = "How many items are there?"
RIGHT = "SELECT COUNT(*) FROM item"
BROKEN = "SELECT COUNT(*) FROM item WHERE nothing_of_the_sort = 1"
FAILURES = [
    ModelError("it refused the call"),
    ContextOverflowError("the prompt does not fit"),
]
CASES = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "fixtures/graphs/role_faults.jsonl").read_text().splitlines()
]
CALLS_A_MODEL = {"actor", "refiner", "llm_critic", "action_assistant", "escalation"}
SEMANTIC = ("error_llm", "text_to_sql")
"""Graphs whose error detector may ask a model."""
WITH_CRITIC = [name for name in GRAPHS if "llm_critic" in graph(name).nodes]


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
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['graph']}: {case['name']}")
def test_a_later_writer_that_fails(
    case: dict[str, Any], error: Exception, scripted: Callable[..., Any], shop: Path
) -> None:
    model = scripted(case["texts"], case.get("truths", [0.5]))
    model.generate = after(case["texts"], error)(model.generate)
    context = Context(model="scripted", **case.get("context", {}))
    found = ask(QUESTION, shop, graph=case["graph"], context=context).model_dump()
    assert {key: found[key] for key in case["final"]} == case["final"]


def test_every_graph_with_a_second_writer_has_a_case() -> None:
    assert {case["graph"] for case in CASES} == set(GRAPHS) - {"single_shot"}


@pytest.mark.parametrize("name", GRAPHS)
def test_what_calls_a_model_tries_again_only_what_may_pass(name: str) -> None:
    calls = CALLS_A_MODEL | ({"error_detector", "localiser"} if name in SEMANTIC else set())
    for node, spec in graph(name).builder.nodes.items():
        assert spec.retry_policy == (MODEL_RETRY if node in calls else None), node
        if node in calls - {"actor"}:
            assert spec.error_handler_node, node


@pytest.mark.parametrize("error", FAILURES, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("name", GRAPHS)
def test_the_first_draft_reports_its_failure(
    name: str, error: Exception, scripted: Callable[..., Any], shop: Path
) -> None:
    scripted([RIGHT]).generate = failing(error)
    with pytest.raises(type(error), match=str(error)):
        ask(QUESTION, shop, graph=name, context=Context(model="scripted"))


def reading(*logprobs: float) -> Callable[..., ChoiceReading]:
    return lambda *_: ChoiceReading(logprobs, Usage())


BROKEN_CRITICS = {
    "it refuses": failing(ModelError("it refused the call")),
    "the prompt does not fit": failing(ContextOverflowError("the prompt does not fit")),
    "it is busy for ever": failing(TransientModelError("it is busy")),
    "it reads NaN": reading(math.nan, math.nan),
    "it reads neither": reading(-math.inf, -math.inf),
}


@pytest.mark.parametrize("choose", BROKEN_CRITICS.values(), ids=BROKEN_CRITICS)
@pytest.mark.parametrize("name", WITH_CRITIC)
def test_a_broken_critic_approves_nothing(
    name: str, choose: Callable[..., Any], scripted: Callable[..., Any], shop: Path
) -> None:
    edit = '{"edits": [{"op": "substitute", "line": 2, "action": "agg(COUNT(item.id))"}]}'
    model = scripted([RIGHT, "", edit] if name == "share" else [RIGHT])
    model.choose = choose
    found = ask(QUESTION, shop, graph=name, context=Context(model="scripted", llm_critic="raw", z=2))
    assert (found.sql, found.rows, found.status) == (RIGHT, [[3]], "unverified")
    assert {candidate["verdict"] for candidate in found.candidates} == {"unknown"}
    assert {candidate["p_true"] for candidate in found.candidates} == {None}
    assert found.confidence is None


@pytest.mark.parametrize("name", WITH_CRITIC)
def test_a_damaged_calibration_approves_nothing(
    name: str, scripted: Callable[..., Any], shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted([RIGHT, "", '{"edits": []}'], [0.99])
    broken = failing(CalibrationError("the calibration cannot be read"))
    monkeypatch.setattr(calibration, "_known", broken)
    found = ask(QUESTION, shop, graph=name, context=Context(model="scripted", llm_critic="calibrated", z=2))
    assert (found.rows, found.status, found.confidence) == ([[3]], "unverified", None)


def test_the_command_says_it_in_a_sentence(scripted: Callable[..., Any], shop: Path) -> None:
    scripted([RIGHT]).generate = failing(ModelError("it refused the call"))
    said = CliRunner().invoke(app, ["ask", QUESTION, "--db", str(shop), "--model", "scripted"])
    assert said.exit_code == 4
    assert said.stderr.splitlines()[-1] == "it refused the call"


@pytest.mark.parametrize("name", ["text_to_sql", "self_correction", "self_consistency"])
def test_an_error_that_is_not_a_models_is_not_hidden(
    name: str, scripted: Callable[..., Any], shop: Path
) -> None:
    model = scripted([BROKEN])
    model.generate = after([BROKEN], ZeroDivisionError("a bug"))(model.generate)
    with pytest.raises(ZeroDivisionError):
        ask(QUESTION, shop, graph=name, context=Context(model="scripted", llm_critic="off", z=3))


@pytest.mark.parametrize("name", WITH_CRITIC)
def test_nor_is_one_of_the_critic(name: str, scripted: Callable[..., Any], shop: Path) -> None:
    edit = '{"edits": [{"op": "substitute", "line": 2, "action": "agg(COUNT(item.id))"}]}'
    scripted([RIGHT, "", edit]).choose = failing(ZeroDivisionError("a bug"))
    with pytest.raises(ZeroDivisionError):
        ask(QUESTION, shop, graph=name, context=Context(model="scripted", llm_critic="raw", z=3))


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


def damaged(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A GGUF file that llama.cpp refuses."""
    (folder / "damaged.gguf").write_bytes(b"GGUF" + b"\xff" * 1000)
    return str(folder / "damaged.gguf")


def too_large(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A GGUF file larger than the free memory."""
    monkeypatch.setattr(weights, "free_memory", lambda: 50)
    return damaged(folder, monkeypatch)


@pytest.mark.parametrize("made", [damaged, too_large])
@pytest.mark.parametrize("role", ["actor", "refiner", "llm_critic"])
def test_a_local_model_that_cannot_be_loaded(
    role: str,
    made: Callable[..., str],
    scripted: Callable[..., Any],
    shop: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scripted([BROKEN if role == "refiner" else RIGHT])
    settings = {"model": "scripted", "llm_critic": "raw", f"{role}_model": made(tmp_path, monkeypatch)}
    context = Context(z=2, refine=True, **settings)  # type: ignore[arg-type]
    if role == "actor":
        with pytest.raises(ModelError, match="cannot be loaded" if made is damaged else "smaller model"):
            ask(QUESTION, shop, context=context)
        return
    found = ask(QUESTION, shop, context=context)
    expected = ("unverified", "critic_off") if role == "llm_critic" else ("failed", "model_failed")
    assert (found.status, found.stopped) == expected
    assert {candidate.get("verdict", "unknown") for candidate in found.candidates} == {"unknown"}
