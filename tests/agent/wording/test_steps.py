"""What the refiner is told of a query that ran, step by step; and that nothing changes where it is off."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from critiql.agent.context import Context
from critiql.agent.evidence import Candidate
from critiql.agent.roles.problems import problems_of
from critiql.agent.state import State
from critiql.graphs.api import ask

CASES = [
    json.loads(line)
    for line in (Path(__file__).parents[2] / "fixtures/agent/step_evidence.jsonl").read_text().splitlines()
]


def told(case: dict[str, Any], shop: Path, scripted: Callable[..., Any], **settings: Any) -> list[str]:
    """The refiner's prompt in lines; what it is told stands in the trace, too."""
    model = scripted(["SELECT 7"], [0.5])
    context = Context(model="scripted", rule_repair=False, resample=False, refine=True, **settings)
    answer = ask(case["question"], shop, context=context, draft=case["sql"])
    [request] = [prompt.request for kind, prompt, _ in model.asked if kind == "generate"]
    [guidance] = [event["guidance"] for event in answer.events if event["type"] == "localised"]
    assert guidance in request
    return str(request).splitlines()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_case(case: dict[str, Any], scripted: Callable[..., Any], shop: Path) -> None:
    without = told(case, shop, scripted)
    lines = told(case, shop, scripted, trajectory_evidence=True)
    assert [line for line in lines if line not in without] == case["added"]
    assert [line for line in lines if line not in case["added"]] == without


def test_a_query_that_was_not_run_is_not_run_step_by_step(shop: Path) -> None:
    state = State(question="Which makers are there?", database=str(shop), candidates=[])
    context = Context(trajectory_evidence=True, execution=False)
    assert problems_of(Candidate(id=0, sql="SELECT name FROM maker WHERE id = 9"), state, context) == ""
