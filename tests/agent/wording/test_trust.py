"""How sure an answer is, in words that need no looking up."""

import json
import re
from itertools import product
from pathlib import Path
from typing import Any, get_args

import pytest

from critiql.agent.evidence import Status, Stop
from critiql.agent.wording.trust import plain_reason, trust

FIXTURES = Path(__file__).parents[2] / "fixtures" / "agent"
CASES = [json.loads(line) for line in (FIXTURES / "trust.jsonl").read_text("utf-8").splitlines()]
REASONS = [json.loads(line) for line in (FIXTURES / "reasons.jsonl").read_text("utf-8").splitlines()]
OURS = re.compile(r"critic|unchecked|incumbent|challenger|ground|unverified|displac|_", re.IGNORECASE)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["says"])
def test_what_is_said(case: dict[str, Any]) -> None:
    said = trust(case["status"], case["stopped"], case["confidence"], ran=case.get("ran", True))
    assert said == case["says"]


def test_no_word_of_ours_is_said() -> None:
    for status, stopped, confidence in product(get_args(Status), get_args(Stop), (None, 0.0, 0.5, 1.0)):
        assert not OURS.search(trust(status, stopped, confidence))


@pytest.mark.parametrize("case", REASONS, ids=lambda case: case["reason"])
def test_why_one_query_stands(case: dict[str, str]) -> None:
    said = plain_reason(case["reason"], "query 0", "query 1")
    assert said == case["says"]
    assert not OURS.search(said)
