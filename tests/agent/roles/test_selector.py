"""The selector reads one of two letters in both orders, and where a candidate stands counts for nothing."""

from collections.abc import Callable
from math import log
from typing import Any

import pytest

from critiql.agent.evidence import Candidate
from critiql.agent.roles.selector import preference, selection_prompt
from critiql.agent.state import State

STATE: State = {"question": "How many?", "schema_prefix": "SCHEMA\n"}
RIGHT, WRONG = Candidate(id=1, sql="SELECT 1"), Candidate(id=2, sql="SELECT 2")


def test_what_favours_the_first_place_alone_cancels_out(scripted: Callable[..., Any]) -> None:
    model = scripted(truths=lambda prompt: 0.9)
    found = preference(model, STATE, RIGHT, WRONG)
    assert found.log_odds == pytest.approx(0.0)
    assert len(found.usages) == 2


def test_the_better_one_is_preferred_in_either_order(scripted: Callable[..., Any]) -> None:
    model = scripted(truths=lambda prompt: 0.8 if "A: SELECT 1" in prompt.request else 0.4)
    found = preference(model, STATE, RIGHT, WRONG)
    assert found.log_odds == pytest.approx((log(0.8 / 0.2) + log(0.6 / 0.4)) / 2)
    assert preference(model, STATE, WRONG, RIGHT).log_odds == pytest.approx(-found.log_odds)


def test_both_candidates_are_shown_after_the_shared_prefix() -> None:
    prompt = selection_prompt(STATE, RIGHT, WRONG)
    assert prompt.prefix == "SCHEMA\n"
    assert prompt.request.startswith("Question: How many?\n")
    assert "A: SELECT 1\nRunning it gave:\nnot run\nB: SELECT 2\n" in prompt.request
