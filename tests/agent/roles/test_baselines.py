"""Published baselines beside the papers' own systems: DIN-SQL's chain, and correction by guidelines."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from critiql.agent.context import Context
from critiql.agent.roles.rewriter import GuidelinesError
from critiql.cli.evals.app import app
from critiql.graphs.api import ask
from critiql.tools.models.model import ChoiceReading, ModelError, Usage

QUESTION = "How many items are there?"
RIGHT = "SELECT COUNT(*) FROM item"
WRONG = "SELECT COUNT(*) FROM item WHERE price > 50"
GIVEN = Context(model="scripted")


@pytest.mark.parametrize(("place", "kind"), list(enumerate(["easy", "joined", "nested"])))
def test_each_step_of_the_chain_is_shown_the_one_before(
    scripted: Callable[..., Any], shop: Path, monkeypatch: pytest.MonkeyPatch, place: int, kind: str
) -> None:
    model = scripted(["item: id", WRONG, RIGHT])
    logprobs = tuple(-0.1 if at == place else -4.0 for at in range(3))
    monkeypatch.setattr(model, "choose", lambda *_: ChoiceReading(logprobs, Usage()))
    found = ask(QUESTION, shop, graph="din_sql", context=GIVEN)
    assert (found.sql, found.candidates[0]["note"]) == (RIGHT, f"DIN-SQL, {kind}")
    assert [call["operation"] for call in found.calls] == ["generate", "choose", "generate", "generate"]
    told = [prompt.request for _, prompt, _ in model.asked]
    assert "item: id" in told[1]
    assert ("--" in told[1]) == (kind == "nested")
    assert WRONG in told[2]
    assert len({prompt.prefix for _, prompt, _ in model.asked}) == 1


def test_a_model_that_names_no_kind_writes_a_joined_query(
    scripted: Callable[..., Any], shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = scripted(["item: id", RIGHT])

    def silent(*_: Any) -> ChoiceReading:
        raise ModelError("It says nothing.")

    monkeypatch.setattr(model, "choose", silent)
    found = ask(QUESTION, shop, graph="din_sql", context=GIVEN)
    assert found.candidates[0]["note"] == "DIN-SQL, joined"


def test_a_draft_is_corrected_without_the_chain(scripted: Callable[..., Any], shop: Path) -> None:
    model = scripted([RIGHT])
    found = ask(QUESTION, shop, graph="din_sql", context=GIVEN, draft=WRONG)
    assert (found.sql, len(model.asked)) == (RIGHT, 1)


def test_guidelines_are_written_from_repairs_and_shown(
    scripted: Callable[..., Any], shop: Path, tmp_path: Path
) -> None:
    corpus, out = tmp_path / "repairs.jsonl", tmp_path / "guidelines.md"
    corpus.write_text(
        '{"type": "condition_error", "question": "Which?", "wrong": "SELECT 1", "right": "SELECT 2"}\n',
        "utf-8",
    )
    writer = scripted(["Ask whether the question states the condition."])
    done = CliRunner().invoke(app, ["guidelines", str(corpus), "--out", str(out), "--model", "scripted"])
    assert done.exit_code == 0, done.output
    assert out.read_text() == "- Condition Error: Ask whether the question states the condition.\n"
    assert "Right: SELECT 2" in writer.asked[0][1].request
    model = scripted([WRONG, RIGHT])
    given = Context(model="scripted", correction="guided", guidelines=str(out))
    assert ask(QUESTION, shop, graph="self_correction", context=given).sql == RIGHT
    assert "- Condition Error: Ask whether" in model.asked[1][1].request


@pytest.mark.parametrize(("name", "message"), [("", "needs a file"), ("none.md", "cannot be read")])
def test_missing_guidelines_are_explained(
    scripted: Callable[..., Any], shop: Path, name: str, message: str
) -> None:
    scripted([WRONG, RIGHT])
    given = Context(model="scripted", correction="guided", guidelines=name)
    with pytest.raises(GuidelinesError, match=message):
        ask(QUESTION, shop, graph="self_correction", context=given)
