"""Every statement of the data file against a real PostgreSQL: nothing written, nothing leaked, in time."""

import json
from pathlib import Path
from typing import Any

import pytest

FIXTURES = Path(__file__).parents[1] / "fixtures" / "attacks"
CASES = [json.loads(line) for line in (FIXTURES / "postgres_statements.jsonl").read_text().splitlines()]
SNAPSHOT = """
SELECT relname, relkind, relacl, relnatts, obj_description(oid) FROM pg_class WHERE relnamespace > 16000
    OR relnamespace = 'public'::regnamespace ORDER BY 1;
SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY 1;
SELECT rolname, rolsuper FROM pg_roles ORDER BY 1;
SELECT extname FROM pg_extension; SELECT count(*) FROM pg_largeobject_metadata; SELECT * FROM counter;
SELECT * FROM orders ORDER BY 1; SELECT * FROM customers ORDER BY 1; SELECT * FROM secrets;
SELECT * FROM measures; SELECT count(*), sum(n) FROM numbers; SELECT * FROM hidden.vault;
SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'; SELECT count(*) FROM pg_prepared_xacts;
"""
pytestmark = pytest.mark.server

TIMED = [
    pytest.param(case, id=case["name"], marks=[pytest.mark.slow] if case["category"] == "bomb" else [])
    for case in CASES
]
"""How a bomb ends depends on the machine's speed, so bombs are left to the longer check."""


@pytest.fixture(scope="module")
def target(make_server_target: Any) -> Any:
    return make_server_target("postgres", SNAPSHOT)


@pytest.mark.parametrize("case", TIMED)
def test_statement(case: dict[str, Any], target: Any, attack: Any) -> None:
    attack(target, case)


def test_the_suite_is_large_enough() -> None:
    assert len(CASES) >= 80
    assert len({case["name"] for case in CASES}) == len(CASES)
