"""Every statement of the data file against DuckDB: nothing written, nothing leaked, and on to the next."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

from critiql.tools.database.duckdb import open_duckdb
from critiql.tools.database.policy import AccessPolicy

HERE = Path(__file__).parent
CASES = [json.loads(line) for line in (HERE / "duckdb_statements.jsonl").read_text().splitlines()]
POLICIES = {
    "": AccessPolicy(),
    "deny": AccessPolicy(deny_tables=frozenset({"Secrets"}), deny_columns=frozenset({"customers.card"})),
    "allow": AccessPolicy(allow_tables=frozenset({"public_customers", "orders"})),
}
MEMORY_BYTES = 1024 * 2**20
"""The engine's limit is 256 MB; a string it does not count may come on top of it."""
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("attacked")
    path = folder / "attacked.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute((HERE / "duckdb_target.sql").read_text())
    (folder / "canary.txt").write_text("CANARY-file-51c")
    (folder / "canary.csv").write_text("a\nCANARY-file-51c\n")
    databases = {name: open_duckdb(f"duckdb:///{path}", policy) for name, policy in POLICIES.items()}
    yield folder, databases
    for database in databases.values():
        database.close()


@pytest.fixture
def ready(target: Any, make_target: Callable[..., Any]) -> Any:
    folder, databases = target
    made = make_target("duckdb", databases, folder, ["CANARY-file-51c"], ["CANARY-secret", "CANARY-card"])
    return replace(made, memory_bytes=MEMORY_BYTES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_statement(case: dict[str, Any], ready: Any, attack: Any) -> None:
    attack(ready, case)


def test_the_suite_is_large_enough() -> None:
    assert len(CASES) >= 80
    assert len({case["name"] for case in CASES}) == len(CASES)
