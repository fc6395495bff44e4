"""Escalation: who is asked, of which questions, at what cost; its own model's failures are its own."""

import json
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from critiql.agent.context import Context
from critiql.agent.decide.doubt import escalates
from critiql.cli.main import app
from critiql.graphs.api import ask
from critiql.tools.models.factory import use_model
from critiql.tools.models.model import Generation, ModelError, Usage

QUESTION = "How many items are there?"
RIGHT = "SELECT COUNT(*) FROM item"
BROKEN = "SELECT COUNT(*) FROM nowhere"


class Large:
    """A hosted model: no log-probabilities, other counts than the local one."""

    name = fingerprint = "openai:large"

    def __init__(self, text: str = RIGHT) -> None:
        self.text = text
        self.asked: list[Any] = []

    def generate(self, prompt: Any, sampling: Any, on_text: Any = None) -> Generation:
        self.asked.append((prompt, sampling))
        return Generation(self.text, "stop", -math.inf, Usage(500, 0, 20, 1.0))

    choose = count_tokens = None


@pytest.fixture
def large() -> Iterator[Large]:
    model = Large()
    with use_model("openai:large", model):  # type: ignore[arg-type]
        yield model


def asked(scripted: Callable[..., Any], shop: Path, text: str, **settings: Any) -> Any:
    local = scripted([text], [0.5])
    known = {"model": "scripted", "z": 1, "escalation_model": "openai:large"}
    answer = ask(QUESTION, shop, context=Context(**{**known, **settings}))
    return answer, local


def test_the_larger_model_gets_what_the_actor_got_and_its_tokens_are_its_own(
    scripted: Callable[..., Any], shop: Path, large: Large
) -> None:
    answer, local = asked(scripted, shop, BROKEN)
    (prompt, sampling), (_, actors, _) = large.asked[0], local.asked[0]
    assert prompt == actors
    assert sampling.temperature == 0
    assert (answer.sql, answer.rows, answer.escalated) == (RIGHT, [[3]], True)
    assert answer.usage()["escalation"].model_dump() == {
        "calls": 1,
        "prompt": 500,
        "cached": 0,
        "generated": 20,
        "seconds": 1.0,
    }
    assert answer.candidates[1]["origin"] == "escalation"
    assert answer.candidates[1]["logprob"] is None
    (event,) = [event for event in answer.events if event["type"] == "escalated"]
    assert event["model"] == "openai:large"
    assert event["reason"].startswith("it does not execute")


def test_a_question_without_doubt_is_spared(scripted: Callable[..., Any], shop: Path, large: Large) -> None:
    answer, _ = asked(scripted, shop, RIGHT)
    assert (answer.escalated, large.asked) == (False, [])


@pytest.mark.parametrize("settings", [{"escalation_model": None}, {"seconds": 1e-9}])
def test_without_a_model_or_time_nothing_is_escalated(
    settings: dict[str, Any], scripted: Callable[..., Any], shop: Path, large: Large
) -> None:
    answer, _ = asked(scripted, shop, BROKEN, **settings)
    assert (answer.status, answer.escalated, large.asked) == ("failed", False, [])


def test_nor_beyond_the_tokens() -> None:
    call = {"prompt_tokens": 600, "cached_tokens": 0, "generated_tokens": 0}
    candidate = {"id": 0, "sql": BROKEN, "origin": "actor", "execution": {"ok": False}}
    state: Any = {"candidates": [candidate], "incumbent": 0, "generations": 1, "started": time.time()}
    for tokens, due in ((601, True), (600, False)):
        context = Context(escalation_model="openai:large", tokens=tokens)
        assert escalates({**state, "calls": [call]}, context) is due


def test_a_failure_of_the_larger_model_ends_with_the_incumbent_and_is_not_remembered(
    scripted: Callable[..., Any], shop: Path, large: Large, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*_: Any) -> Any:
        raise ModelError("no credit")

    settings = {"critic_threshold": 0.9, "answer_cache": True}
    with monkeypatch.context() as patch:
        patch.setattr(large, "generate", refuses)
        answer, _ = asked(scripted, shop, "SELECT COUNT(*) FROM maker", **settings)
        assert (answer.rows, answer.stopped, answer.escalated) == ([[2]], "model_failed", False)
    answer, _ = asked(scripted, shop, "SELECT COUNT(*) FROM maker", **settings)
    assert (answer.stopped, answer.escalated) == ("rounds", True)


def test_a_recalled_escalation_calls_nobody(scripted: Callable[..., Any], shop: Path, large: Large) -> None:
    found = [asked(scripted, shop, BROKEN, answer_cache=True)[0] for _ in range(2)]
    assert [answer.rows for answer in found] == [[[3]], [[3]]]
    assert [answer.escalated for answer in found] == [True, False]
    assert found[1].candidates[0]["origin"] == "escalation"
    assert len(large.asked) == 1


def test_the_command_says_which_questions_were_escalated(
    scripted: Callable[..., Any], shop: Path, large: Large
) -> None:
    for text, escalated in ((BROKEN, True), (RIGHT, False)):
        scripted([text], [0.5])
        options = ["--db", str(shop), "--model", "scripted", "--z", "1", "--fresh"]
        asks = ["ask", QUESTION, *options, "--set", "escalation_model=openai:large"]
        document = json.loads(CliRunner().invoke(app, [*asks, "--json"]).stdout)
        assert document["escalated"] is escalated
        assert ("escalation" in document["tokens_per_role"]) is escalated
        shown = " ".join(CliRunner().invoke(app, asks).output.split())
        assert ("one of a larger model" in shown) is escalated
        assert ("openai:large is asked: it does not execute" in shown) is escalated
