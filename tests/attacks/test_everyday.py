"""Everyday queries of SQLite and DuckDB run beside the walls, without a policy and with each that lets them.

A case without a policy of its own runs under none and under those of the attacks; a case with one only there.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from targets import attacked_duckdb, attacked_sqlite

from critiql.tools.database.result import Limits

pytestmark = pytest.mark.process

FIXTURES = Path(__file__).parents[1] / "fixtures" / "database"
ENGINES = ("sqlite", pytest.param("duckdb", marks=pytest.mark.slow))
POLICIES = ("", "deny", "allow")
SECONDS = 5.0


def _cases(engine: str) -> list[Any]:
    lines = (FIXTURES / f"{engine}_everyday.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def targets(tmp_path_factory: pytest.TempPathFactory, make_target: Any) -> dict[str, Any]:
    lite, duck = tmp_path_factory.mktemp("sqlite"), tmp_path_factory.mktemp("duckdb")
    return {
        "sqlite": make_target("sqlite", attacked_sqlite(lite, "delete"), lite),
        "duckdb": make_target("duckdb", f"duckdb:///{attacked_duckdb(duck)}", duck),
    }


@pytest.mark.parametrize("engine", ENGINES)
def test_everyday_queries_run(engine: str, targets: dict[str, Any]) -> None:
    refused = []
    for case in _cases(engine):
        for policy in (case["policy"],) if "policy" in case else POLICIES:
            result = targets[engine].databases[policy].run(case["sql"], Limits(seconds=SECONDS))
            if not result.ok:
                refused.append((policy, case["sql"], result.kind, result.message))
    assert refused == []


def test_the_suite_is_large_enough() -> None:
    assert min(len(_cases(engine)) for engine in ("sqlite", "duckdb")) >= 200
