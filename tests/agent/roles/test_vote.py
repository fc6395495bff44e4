"""The vote as a table of cases."""

import json
from pathlib import Path
from typing import Any

import pytest

from critiql.agent.roles.vote import elect

CASES = [
    json.loads(line)
    for line in (Path(__file__).parents[2] / "fixtures/agent/votes.jsonl").read_text().splitlines()
]


def candidates(case: dict[str, Any]) -> list[Any]:
    """Candidates that return these rows (null: fail), or that were not run."""
    if "sql" in case:
        return [{"id": number, "sql": sql} for number, sql in enumerate(case["sql"])]
    return [
        {"id": number, "sql": "", "execution": {"ok": rows is not None, "rows_fingerprint": rows}}
        for number, rows in enumerate(case["rows"])
    ]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_vote(case: dict[str, Any]) -> None:
    election = elect(candidates(case))
    if case["winner"] is None:
        assert election is None
        return
    assert election is not None
    assert (election.winner["id"], election.votes, election.voters) == (
        case["winner"],
        case["votes"],
        case["voters"],
    )
