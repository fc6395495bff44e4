"""The path a question takes through each graph, with a scripted model on a real database."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from critiql.agent.context import Context
from critiql.graphs.api import recursion_limit
from critiql.graphs.catalogue import GRAPHS, graph

CASES = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "fixtures/graphs/routes.jsonl").read_text().splitlines()
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_route(case: dict[str, Any], scripted: Callable[..., Any], shop: Path) -> None:
    model = scripted(case.get("texts", ()), case.get("truths", ()))
    context = Context(model="scripted", **case.get("context", {}))
    question = case.get("question", "How many items are there?")
    given = {"question": question, "database": str(shop), "draft": case.get("sql", "")}
    path: list[str] = []
    final: dict[str, Any] = {}
    for mode, chunk in graph(case["graph"]).stream(
        given,
        {"recursion_limit": recursion_limit(context)},
        context=context,
        stream_mode=["updates", "values"],
    ):
        if mode == "updates":
            path += chunk
        else:
            final = chunk
    assert path == case["path"].split()
    assert {key: final[key] for key in case["final"]} == case["final"]
    check_calls(case, model.asked, final["calls"])
    assert len({prompt.prefix for _, prompt, _ in model.asked}) <= 1, "all prompts share their first bytes"


@pytest.mark.parametrize("name", [name for name in GRAPHS if name != "din_sql"])  # it says names first
def test_one_generation_is_single_shot(name: str, scripted: Callable[..., Any], shop: Path) -> None:
    scripted(["SELECT title FROM item WHERE id = 9", "SELECT 7"], [0.1])
    given: Any = {"question": "Which item has the number 9?", "database": str(shop)}
    final = graph(name).invoke(given, context=Context(model="scripted", llm_critic="raw", z=1))
    assert final["sql"] == "SELECT title FROM item WHERE id = 9"
    assert final["generations"] == 1


def check_calls(case: dict[str, Any], asked: list[Any], calls: list[dict[str, Any]]) -> None:
    """Where a case says so: what the prompts told in this order, who asked, and at which temperatures."""
    told = iter([prompt.request for _, prompt, _ in asked])
    for words in case.get("told", ()):
        assert any(words in request for request in told), words
    if "roles" in case:
        assert [call["role"] for call in calls] == case["roles"]
    if "temperatures" in case:
        assert [sampling.temperature for _, _, sampling in asked] == case["temperatures"]
