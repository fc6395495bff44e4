"""Edit scripts: what they do, and what is said about those that cannot be carried out."""

import json
from pathlib import Path
from typing import Any

import pytest

from critiql.tools.schema.model import Schema
from critiql.tools.sql.parse import Parsed, parse
from critiql.tools.trajectory.language.actions import Problem, Trajectory
from critiql.tools.trajectory.language.compile import compile_query
from critiql.tools.trajectory.language.decompile import to_sql
from critiql.tools.trajectory.repair.edits import EDIT_SCHEMA, apply_edits, edits_json, read_edits

FIXTURES = Path(__file__).parents[3] / "fixtures" / "trajectory"


def read(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (FIXTURES / name).read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("case", read("edits.jsonl"), ids=lambda case: case["name"])
def test_edit_scripts(case: dict[str, Any], schema: Schema) -> None:
    parsed = parse(case["sql"])
    assert isinstance(parsed, Parsed)
    trajectory = compile_query(parsed.tree)
    assert isinstance(trajectory, Trajectory)
    edits = read_edits({"edits": case["edits"]})
    found = edits if isinstance(edits, Problem) else apply_edits(trajectory, edits, schema)
    if "problem" in case:
        assert isinstance(found, Problem)
        assert case["problem"] in str(found)
    else:
        assert isinstance(found, Trajectory), str(found)
        assert to_sql(found) == case["back"]


def test_script_as_json_reads_back() -> None:
    written = [
        {"op": "add", "after": 1, "action": "where(a = 1)"},
        {"op": "add_frame", "text": "df9 = scan(t).select(a)"},
        {"op": "delete", "line": 2},
        {"op": "substitute", "line": 3, "action": "limit(1)"},
    ]
    edits = read_edits({"edits": written})
    assert not isinstance(edits, Problem)
    assert edits_json(edits) == {"edits": written}
    operations = {
        item["properties"]["op"]["const"] for item in EDIT_SCHEMA["properties"]["edits"]["items"]["oneOf"]
    }
    assert operations == {edit["op"] for edit in written}
