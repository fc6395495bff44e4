"""The localiser inside error_llm, and the repairs that the refiner retrieves."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from critiql.agent.context import Context
from critiql.graphs.api import ask
from critiql.tools.errors.guide.corpus import CorpusError
from critiql.tools.models.model import ModelError

QUESTION = "How many items are there?"
RIGHT = "SELECT COUNT(*) FROM item"
WRONG = "SELECT COUNT(*) FROM item WHERE price > 50"
PLACES = '{"condition_error": {"lines": [7], "right_condition": "none"}}'


def settings(head: Path, **more: Any) -> Context:
    return Context(
        model="scripted", semantic_detector="head", detector_head=str(head), localiser=True, **more
    )


@pytest.fixture
def accused(scripted: Callable[..., Any], showing: Callable[..., None]) -> Callable[..., Any]:
    """A model whose head accuses every query with > 50 of a condition error."""

    def make(texts: list[str]) -> Any:
        model = scripted(texts)
        showing(model, lambda prompt: [9] if "> 50" in prompt.request.split("Running it gave")[0] else [0])
        return model

    return make


def test_the_refiner_is_told_where(accused: Callable[..., Any], head_file: Path, shop: Path) -> None:
    model = accused([WRONG, PLACES, RIGHT])
    found = ask(QUESTION, shop, graph="error_llm", context=settings(head_file))
    assert found.sql == RIGHT
    assert [call["role"] for call in found.calls] == ["actor", "error_detector", "localiser", "refiner"]
    told = model.asked[-1][1].request
    assert "Wrong condition: price > 50" in told
    assert "Located in: WHERE" in told
    assert "Condition the question states: none" in told
    assert "Part of the query: WHERE" in told
    (finding,) = found.candidates[0]["findings"]
    assert (finding["lines"], WRONG[slice(*finding["span"])]) == ([7], "price > 50")
    (event,) = [e for e in found.events if e["type"] == "localised" and e["places"]]
    assert (event["id"], event["refused"]) == (0, [])
    assert model.asked[2][2].grammar.startswith('root ::= "{" e0 "}"')
    assert len({prompt.prefix for _, prompt, _ in model.asked}) == 1


def test_nothing_is_asked_where_no_model_named_an_error(
    accused: Callable[..., Any], head_file: Path, shop: Path
) -> None:
    accused([RIGHT])
    found = ask(QUESTION, shop, graph="error_llm", context=settings(head_file))
    assert [call["role"] for call in found.calls] == ["actor", "error_detector"]


def test_a_localiser_that_fails_leaves_the_refiner_what_it_had(
    accused: Callable[..., Any], head_file: Path, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = accused([WRONG, RIGHT])
    generate = model.generate

    def failing(prompt: Any, sampling: Any, on_text: Any = None) -> Any:
        if "Syntax tree" in prompt.request:
            raise ModelError("The model broke.")
        return generate(prompt, sampling, on_text)

    monkeypatch.setattr(model, "generate", failing)
    found = ask(QUESTION, shop, graph="error_llm", context=settings(head_file))
    assert found.sql == RIGHT
    assert [call["role"] for call in found.calls] == ["actor", "error_detector", "refiner"]


def test_repairs_are_retrieved_from_the_corpus(
    accused: Callable[..., Any], head_file: Path, shop: Path, tmp_path: Path
) -> None:
    repair = {
        "type": "condition_error",
        "question": "How many cars are there?",
        "wrong": "SELECT 1",
        "right": "SELECT 2",
    }
    rows = [
        {**repair, "database": "garage"},
        {**repair, "question": "What is sold?", "right": "SELECT 3", "database": "garage"},
        {**repair, "question": QUESTION, "right": "SELECT 4", "database": "shop"},
    ]
    corpus = tmp_path / "repairs.jsonl"
    corpus.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    model = accused([WRONG, PLACES, RIGHT])
    ask(QUESTION, shop, graph="error_llm", context=settings(head_file, repairs=str(corpus)))
    told = model.asked[-1][1].request
    assert "Right: SELECT 2" in told
    assert "SELECT 3" not in told
    assert "SELECT 4" not in told


@pytest.mark.parametrize(
    "text", [None, "no json", '{"type": "unheard_of", "question": "", "wrong": "", "right": ""}']
)
def test_a_corpus_that_cannot_be_read_is_explained(
    accused: Callable[..., Any], head_file: Path, shop: Path, tmp_path: Path, text: str | None
) -> None:
    corpus = tmp_path / "repairs.jsonl"
    if text is not None:
        corpus.write_text(text, "utf-8")
    accused([WRONG, PLACES, RIGHT])
    with pytest.raises(CorpusError, match=r"cannot be read|Line 1 of"):
        ask(QUESTION, shop, graph="error_llm", context=settings(head_file, repairs=str(corpus)))
