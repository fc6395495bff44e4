"""Which tool a message is for: by rule where it is plain, else by what the model says to a claim."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from critiql.agent.assistant.conversation import AssistantState, Choices
from critiql.agent.assistant.router import by_rule, commands, router, sql_in
from critiql.agent.context import Context
from critiql.tools.models.model import ModelError

FOLDER = Path(__file__).parents[2] / "fixtures/agent/assistant"
CASES = [json.loads(line) for line in (FOLDER / "router.jsonl").read_text().splitlines()]
LAST = {"question": "How many albums were released in each year?", "sql": "SELECT 1", "columns": ["n"]}


def state_of(case: dict[str, Any]) -> AssistantState:
    state: AssistantState = {"said": case["said"], "database": case.get("database", "")}
    return {**state, "last": LAST} if case.get("last") else state


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["said"][:40])
def test_a_rule_decides_or_leaves_the_right_tool_to_the_model(case: dict[str, Any]) -> None:
    offered = by_rule(state_of(case))
    assert case["tool"] in offered
    assert len(offered) == 1 or not case.get("plain", True)


def test_no_word_of_the_model_is_needed_for_what_is_plain(scripted: Callable[..., Any], shop: Path) -> None:
    model = scripted(["never asked"], [0.9])
    state = state_of({"said": "draw a bar chart", "last": True, "database": str(shop)})
    update = router(state, Choices(settings=Context(model="scripted")))
    assert update == {"tool": "chart"}
    assert model.asked == []


@pytest.mark.parametrize(("truth", "tool"), [(0.9, "chart"), (0.1, "ask")])
def test_the_model_says_true_or_false(
    scripted: Callable[..., Any], shop: Path, truth: float, tool: str
) -> None:
    model = scripted([], [truth])
    said = "Which items were in the charts?"
    update = router(
        state_of({"said": said, "last": True, "database": str(shop)}),
        Choices(settings=Context(model="scripted")),
    )
    assert update["tool"] == tool
    assert [call["role"] for call in update["calls"]] == ["assistant"]
    assert said in model.asked[0][1].request
    assert commands()["chart"].claim in model.asked[0][1].request


def test_a_model_without_probabilities_writes_a_word(scripted: Callable[..., Any], shop: Path) -> None:
    model = scripted(["True"], [0.5])

    def refuse(prompt: Any, choices: Any) -> Any:
        raise ModelError("gives no log-probabilities")

    model.choose = refuse
    state = state_of({"said": "Which items were in the charts?", "last": True, "database": str(shop)})
    assert router(state, Choices(settings=Context(model="scripted")))["tool"] == "chart"


def test_words_with_select_in_them_are_no_query() -> None:
    assert sql_in("Please select a good artist from the list for me, with care") is None
    assert sql_in("run SELECT name FROM artists") == "SELECT name FROM artists"
