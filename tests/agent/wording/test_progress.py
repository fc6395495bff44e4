"""Events in sentences."""

import json
from pathlib import Path
from typing import Any

import pytest

from critiql.agent.wording.progress import LONGEST, said_of

CASES = [
    json.loads(line)
    for line in (Path(__file__).parents[2] / "fixtures/agent/progress.jsonl").read_text().splitlines()
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["text"] or case["event"]["type"])
def test_case(case: dict[str, Any]) -> None:
    assert said_of(case["event"]) == case["text"]


def test_a_long_query_is_cut() -> None:
    event = {"type": "candidate", "id": 0, "origin": "actor", "sql": "SELECT " + "a, " * LONGEST}
    assert len(said_of(event)) == LONGEST
