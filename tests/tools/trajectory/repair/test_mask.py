"""Masking schema elements, and filling the masks."""

import json
from pathlib import Path
from typing import Any

import pytest

from critiql.tools.schema.model import Schema
from critiql.tools.sql.parse import Parsed, parse
from critiql.tools.trajectory.language.actions import Trajectory
from critiql.tools.trajectory.language.compile import compile_query
from critiql.tools.trajectory.language.decompile import to_sql
from critiql.tools.trajectory.repair.mask import augmented, choices, fill, mask

FIXTURES = Path(__file__).parents[3] / "fixtures" / "trajectory"


def read(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (FIXTURES / name).read_text(encoding="utf-8").splitlines()]


def compiled(sql: str) -> Trajectory:
    parsed = parse(sql)
    assert isinstance(parsed, Parsed)
    trajectory = compile_query(parsed.tree)
    assert isinstance(trajectory, Trajectory)
    return trajectory


@pytest.mark.parametrize("case", read("masks.jsonl"), ids=lambda case: case["name"])
def test_mask_and_fill(case: dict[str, Any], schema: Schema) -> None:
    masked = mask(compiled(case["sql"]), schema)
    assert masked.text.splitlines() == case["masked"]
    filled = fill(masked, case["answers"], schema)
    assert to_sql(filled.trajectory) == case["back"]
    assert sorted(filled.kept) == case["kept"]


@pytest.mark.parametrize(
    "case",
    [case for case in read("round_trip.jsonl") if case["dialect"] == "sqlite"],
    ids=lambda case: case["name"],
)
def test_filling_with_the_originals_changes_nothing(case: dict[str, Any], schema: Schema) -> None:
    trajectory = compiled(case["sql"])
    masked = mask(trajectory, schema)
    filled = fill(masked, {one.name: one.original for one in masked.masks}, schema)
    assert filled.trajectory == trajectory
    assert filled.changed == ()


def test_no_schema_name_is_left_visible(schema: Schema) -> None:
    text = mask(
        compiled("SELECT name, o.total FROM customers, orders AS o WHERE customers.id = customer_id"), schema
    ).text
    assert not any(word in text for word in ("customer", "orders", "name", "total"))


def test_choices_are_the_schema(schema: Schema) -> None:
    masks = mask(compiled("SELECT name FROM customers"), schema).masks
    by_kind = {one.kind: choices(one, schema) for one in masks}
    assert by_kind["table"] == tuple(table.name for table in schema.tables)
    assert "orders.total" in by_kind["column"]


def test_augmented_schema_is_a_union_with_keys(schema: Schema) -> None:
    before, after = compiled("SELECT name FROM customers"), compiled("SELECT total FROM orders")
    found = augmented([before, after], schema)
    columns = {f"{table.name}.{column.name}" for table in found.tables for column in table.columns}
    assert columns == {
        "customers.id", "customers.name", "orders.id", "orders.customer_id", "orders.total",
    }  # fmt: skip
