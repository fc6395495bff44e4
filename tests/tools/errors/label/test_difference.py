"""The error types by which one query departs from another."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from critiql.tools.errors.label.difference import difference
from critiql.tools.errors.query import Query

FIXTURES = Path(__file__).parents[3] / "fixtures" / "errors"
CASES = [json.loads(line) for line in (FIXTURES / "differences.jsonl").read_text("utf-8").splitlines()]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["wrong"])
def test_two_queries_differ_by_these_types(case: dict[str, Any], reading: Callable[..., Query]) -> None:
    assert sorted(difference(reading(case["right"]), reading(case["wrong"]))) == sorted(case["types"])
