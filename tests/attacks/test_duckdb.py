"""Every statement of the data file against DuckDB: nothing written, nothing leaked, and on to the next."""

import json
from pathlib import Path
from typing import Any

import pytest
from targets import attacked_duckdb

FIXTURES = Path(__file__).parents[1] / "fixtures" / "attacks"
CASES = [json.loads(line) for line in (FIXTURES / "duckdb_statements.jsonl").read_text().splitlines()]
MEMORY_BYTES = 1024 * 2**20
"""The engine's limit is 256 MB; a string it does not count may come on top of it."""
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory, make_target: Any) -> Any:
    folder = tmp_path_factory.mktemp("attacked")
    (folder / "canary.csv").write_text("a\nCANARY-file-51c\n")
    url = f"duckdb:///{attacked_duckdb(folder)}"
    return make_target("duckdb", url, folder, memory_bytes=MEMORY_BYTES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_statement(case: dict[str, Any], target: Any, attack: Any) -> None:
    attack(target, case)


def test_the_suite_is_large_enough() -> None:
    assert len(CASES) >= 80
    assert len({case["name"] for case in CASES}) == len(CASES)
