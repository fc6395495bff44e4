"""Every statement of the data files against SQLite: nothing written or leaked, in time, on to the next."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from critiql.tools.database.policy import AccessPolicy
from critiql.tools.database.sqlite import SqliteDatabase

HERE = Path(__file__).parent
STATEMENTS = [json.loads(line) for line in (HERE / "sqlite_statements.jsonl").read_text().splitlines()]
BOMBS = [json.loads(line) for line in (HERE / "sqlite_bombs.jsonl").read_text().splitlines()]
POLICIES = {
    "": AccessPolicy(),
    "deny": AccessPolicy(deny_tables=frozenset({"Secrets"}), deny_columns=frozenset({"customers.card"})),
    "views": AccessPolicy(allow_tables=frozenset({"public_customers", "orders"})),
}


@pytest.fixture(scope="module", params=["delete", pytest.param("wal", marks=pytest.mark.slow)])
def target(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("attacked")
    path = folder / "target.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA journal_mode={request.param}")
        connection.executescript((HERE / "sqlite_target.sql").read_text())
    connection.close()
    (folder / "canary.txt").write_text("CANARY-file-51c")
    databases = {name: SqliteDatabase(path, policy) for name, policy in POLICIES.items()}
    yield folder, databases
    for database in databases.values():
        database.close()


@pytest.fixture
def ready(target: Any, make_target: Callable[..., Any]) -> Any:
    folder, databases = target
    return make_target("sqlite", databases, folder, ["CANARY-file-51c"], ["CANARY-secret", "CANARY-card"])


@pytest.mark.parametrize("case", STATEMENTS, ids=lambda case: case["name"])
def test_statement(case: dict[str, Any], ready: Any, attack: Any) -> None:
    attack(ready, case)


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(bomb, marks=[] if bomb["quick"] else [pytest.mark.slow], id=bomb["name"])
        for bomb in BOMBS
    ],
)
def test_bomb(case: dict[str, Any], ready: Any, attack: Any) -> None:
    attack(ready, case)


def test_the_suite_is_large_enough() -> None:
    assert len(STATEMENTS) >= 150
    assert len({case["name"] for case in (*STATEMENTS, *BOMBS)}) == len(STATEMENTS) + len(BOMBS)
