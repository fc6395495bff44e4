import json
from pathlib import Path

import pytest

from critiql.evals.metrics.hardness import hardness

CASES = (Path(__file__).parents[2] / "fixtures/evals/hardness.jsonl").read_text("utf-8").splitlines()


@pytest.mark.parametrize("case", [json.loads(line) for line in CASES], ids=lambda case: case["sql"])
def test_levels(case):
    assert hardness(case["sql"]) == case["level"]
