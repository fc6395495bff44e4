"""Rows of groups without a name: when it is said."""

import json
from pathlib import Path

import pytest

from critiql.agent.wording.groups import hidden_groups
from critiql.tools.database.open import open_database
from critiql.tools.errors.query import Query
from critiql.tools.errors.rules import read

CASES = [
    json.loads(line)
    for line in (Path(__file__).parents[2] / "fixtures/agent/groups.jsonl").read_text().splitlines()
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["sql"])
def test_case(case: dict[str, str], shop: Path) -> None:
    database = open_database(shop)
    query = read(case["sql"], database.schema())
    database.close()
    assert isinstance(query, Query)
    assert hidden_groups(query) == ([case["says"]] if case["says"] else [])
