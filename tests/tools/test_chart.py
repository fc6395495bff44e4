"""Charts by rule from the columns' types: a specification as data, which says when it draws nothing."""

import json
from pathlib import Path
from typing import Any

import pytest

from critiql.tools.chart import MOST_POINTS, chart_of

FILE = Path(__file__).parents[1] / "fixtures/tools/chart.jsonl"
CASES = [json.loads(line) for line in FILE.read_text().splitlines()]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_kinds(case: dict[str, Any]) -> None:
    chart = chart_of(case["columns"], case["rows"], case.get("asked", ""))
    assert list(chart.kinds) == case["kinds"]
    assert chart.kind == case["kind"]
    assert (chart.spec is None) == (case["kind"] is None)
    assert (chart.x, chart.y) == tuple(case["axes"])
    assert chart.reason


def test_a_cell_stays_a_value() -> None:
    rows: list[list[Any]] = [["</script><img onerror=alert(1)>", 1], ["datum.x + 1", 2]]
    spec = chart_of(["x.y[0]", "n"], rows).spec
    assert spec is not None
    assert [value["x"] for value in spec["data"]["values"]] == [row[0] for row in rows]
    assert spec["encoding"]["y"]["field"] == "x", "a name with a bracket is a title, and no path"
    assert "expr" not in json.dumps({**spec, "data": None})


def test_too_many_rows_are_no_picture() -> None:
    assert chart_of(["a", "b"], [[str(n), n] for n in range(MOST_POINTS + 1)]).spec is None
