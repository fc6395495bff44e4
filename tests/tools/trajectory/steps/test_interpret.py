"""Running a trajectory step by step: counts, samples, and what they say."""

import json
from pathlib import Path
from typing import Any

import pytest

from critiql.tools.database.engine import Database
from critiql.tools.database.result import Limits
from critiql.tools.sql.parse import Parsed, parse
from critiql.tools.trajectory.language.actions import Trajectory
from critiql.tools.trajectory.language.compile import compile_query
from critiql.tools.trajectory.steps.evidence import evidence
from critiql.tools.trajectory.steps.interpret import StepRun, interpret

FIXTURES = Path(__file__).parents[3] / "fixtures" / "trajectory"


def read(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (FIXTURES / name).read_text(encoding="utf-8").splitlines()]


def run(sql: str, database: Database, **options: Any) -> tuple[StepRun, ...]:
    parsed = parse(sql)
    assert isinstance(parsed, Parsed)
    trajectory = compile_query(parsed.tree)
    assert isinstance(trajectory, Trajectory)
    return interpret(trajectory, database, **options)


@pytest.mark.parametrize("case", read("interpret.jsonl"), ids=lambda case: case["name"])
def test_rows_after_each_step(case: dict[str, Any], shop: Database) -> None:
    runs = run(case["sql"], shop)
    assert [step.rows for step in runs] == case["rows"]
    assert [(finding.kind, finding.line) for finding in evidence(runs)] == [
        tuple(e) for e in case["evidence"]
    ]
    final = shop.run(case["sql"])
    assert final.ok
    assert len(final.rows) == runs[-1].rows


@pytest.mark.parametrize("case", read("meanings.jsonl"), ids=lambda case: case["sql"][:50])
def test_steps_in_words(case: dict[str, Any], shop: Database) -> None:
    assert [step.meaning for step in run(case["sql"], shop, sample_rows=0)] == case["meanings"]


def test_samples_are_the_first_rows(shop: Database) -> None:
    scan, group, out = run(
        "SELECT country, COUNT(*) AS n FROM customers GROUP BY country", shop, sample_rows=2
    )
    assert scan.columns == ("id", "name", "country", "joined")
    assert scan.sample[0] == (1, "Ada", "UK", "2020-01-05")
    assert len(scan.sample) == 2
    assert group.columns == ("country", "rows")
    assert out.sample == ((None, 1), ("HU", 1))


def test_correlated_frame_is_told_not_run(shop: Database) -> None:
    runs = run(
        "SELECT name FROM customers AS c WHERE EXISTS(SELECT 1 FROM orders WHERE customer_id = c.id)", shop
    )
    assert runs[0].note == "runs once for each row of c"
    assert runs[0].rows is None
    assert runs[-1].rows == 3


def test_frame_that_uses_an_outer_column_without_its_alias(shop: Database) -> None:
    runs = run("SELECT name FROM customers WHERE EXISTS(SELECT 1 FROM orders WHERE placed > joined)", shop)
    assert [step.rows for step in runs[:3]] == [6, None, None]
    assert runs[1].note == "needs a row of the frame around it"
    assert runs[-1].rows == 4
    assert evidence(runs) == ()


def test_step_that_takes_too_long_is_not_counted(shop: Database) -> None:
    joins = " CROSS JOIN ".join(f"items AS i{n}" for n in range(9))
    runs = run(f"SELECT 1 FROM {joins}", shop, sample_rows=0, limits=Limits(seconds=0.05))
    assert runs[0].rows == 7
    assert runs[-1].rows is None
    assert "took longer" in runs[-1].note


def test_unknown_table_is_reported_as_evidence(shop: Database) -> None:
    found = evidence(run("SELECT a FROM nowhere", shop))
    assert found[0].kind == "failed"
    assert "nowhere" in found[0].text
