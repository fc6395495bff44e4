"""Every statement of the data files against SQLite: nothing written or leaked, in time, on to the next."""

import json
from pathlib import Path
from typing import Any

import pytest
from targets import attacked_sqlite

pytestmark = pytest.mark.process

FIXTURES = Path(__file__).parents[1] / "fixtures" / "attacks"
STATEMENTS = [json.loads(line) for line in (FIXTURES / "sqlite_statements.jsonl").read_text().splitlines()]
BOMBS = [json.loads(line) for line in (FIXTURES / "sqlite_bombs.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module", params=["delete", pytest.param("wal", marks=pytest.mark.slow)])
def target(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, make_target: Any) -> Any:
    folder = tmp_path_factory.mktemp("attacked")
    return make_target("sqlite", attacked_sqlite(folder, request.param), folder)


@pytest.mark.parametrize("case", STATEMENTS, ids=lambda case: case["name"])
def test_statement(case: dict[str, Any], target: Any, attack: Any) -> None:
    attack(target, case)


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(bomb, marks=[] if bomb["quick"] else [pytest.mark.slow], id=bomb["name"])
        for bomb in BOMBS
    ],
)
def test_bomb(case: dict[str, Any], target: Any, attack: Any) -> None:
    attack(target, case)


def test_the_suite_is_large_enough() -> None:
    assert len(STATEMENTS) >= 150
    assert len({case["name"] for case in (*STATEMENTS, *BOMBS)}) == len(STATEMENTS) + len(BOMBS)
