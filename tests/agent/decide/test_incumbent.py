"""The incumbent rule as a table of cases."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from critiql.agent.decide.calibration import Displacement
from critiql.agent.decide.incumbent import decide, settle

CASES = [
    json.loads(line)
    for line in (Path(__file__).parents[2] / "fixtures/agent/incumbent_rule.jsonl").read_text().splitlines()
]


def candidate(identifier: int, fields: dict[str, Any]) -> dict[str, Any]:
    """A candidate from the short form of the case file: rows is a fingerprint, or null for a failure."""
    rows = fields.get("rows")
    return {
        "id": identifier,
        "sql": fields.get("sql", f"SELECT {identifier}"),
        "origin": fields.get("origin", "actor"),
        "mends": fields.get("mends"),
        "p_true": fields.get("p_true"),
        "logprob": fields.get("logprob"),
        "tokens": 10,
        "findings": [{}] * fields.get("findings", 0),
        "execution": {
            "ok": rows is not None,
            "rows_fingerprint": rows,
            "row_count": fields.get("row_count", 1),
            "null_columns": fields.get("null_columns", 0),
        },
    }


def fitted(weights: dict[str, float] | None) -> Displacement | None:
    return weights and Displacement(weights=weights, margin=1.0, pairs=1, fixed=1, broken=0)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_case(case: dict[str, Any]) -> None:
    candidates = [candidate(number, fields) for number, fields in enumerate(case["candidates"])]
    chosen, decisions = settle(candidates, candidates[0], fitted(case.get("weights")))
    assert chosen["id"] == case["chosen"], decisions
    assert case.get("reason", "") in " ".join(decision["reason"] for decision in decisions)


SHAPE = st.fixed_dictionaries(
    {
        "rows": st.sampled_from(["a", "b", None]),
        "p_true": st.none() | st.floats(0, 1),
        "findings": st.integers(0, 1),
        "row_count": st.integers(0, 2),
    }
)


@given(st.lists(SHAPE, min_size=2, max_size=5))
def test_opinion_alone_never_displaces(shapes: list[dict[str, Any]]) -> None:
    """Without a fit, changing nothing but P(True) can veto a change and never cause one."""
    blind = [candidate(number, {**shape, "p_true": None}) for number, shape in enumerate(shapes)]
    seeing = [candidate(number, shape) for number, shape in enumerate(shapes)]
    for challenger in range(1, len(shapes)):
        if decide(seeing[challenger], seeing[0], seeing)["displaced"]:
            assert decide(blind[challenger], blind[0], blind)["displaced"]


@given(st.lists(SHAPE, min_size=1, max_size=6))
def test_an_executing_incumbent_is_never_lost_to_a_failing_challenger(shapes: list[dict[str, Any]]) -> None:
    candidates = [candidate(number, shape) for number, shape in enumerate(shapes)]
    chosen, _ = settle(candidates, candidates[0])
    if candidates[0]["execution"]["ok"]:
        assert chosen["execution"]["ok"]
