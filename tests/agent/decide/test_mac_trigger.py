"""When MAC-SQL's refiner is called, as a table of cases."""

import json
from pathlib import Path
from typing import Any

import pytest

from critiql.agent.decide.mac_trigger import FIRST_ROWS, triggered
from critiql.agent.evidence import SHOWN_ROWS

CASES = [
    json.loads(line)
    for line in (Path(__file__).parents[2] / "fixtures/agent/mac_trigger.jsonl").read_text().splitlines()
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_trigger(case: dict[str, Any]) -> None:
    assert triggered(case["execution"]) is case["triggered"]


def test_a_candidate_keeps_the_rows_it_looks_at() -> None:
    assert FIRST_ROWS <= SHOWN_ROWS
