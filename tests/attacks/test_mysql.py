"""Every statement of the data file against a real MariaDB: nothing written, nothing leaked, in time."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from filled_forms import made

from critiql.tools.database.result import Limits

FIXTURES = Path(__file__).parents[1] / "fixtures" / "attacks"
CASES = [json.loads(line) for line in (FIXTURES / "mysql_statements.jsonl").read_text().splitlines()]
EVERYDAY = [json.loads(line) for line in (FIXTURES / "mysql_everyday.jsonl").read_text("utf-8").splitlines()]
SNAPSHOT = """
SELECT table_schema, table_name, table_type, create_time, table_comment FROM information_schema.tables
    WHERE table_schema NOT IN ('information_schema', 'performance_schema', 'sys') ORDER BY 1, 2;
SELECT routine_name FROM information_schema.routines WHERE routine_schema = 'attacked' ORDER BY 1;
SELECT user, host FROM mysql.user ORDER BY 1, 2; SELECT schema_name FROM information_schema.schemata;
SELECT variable_name, variable_value FROM information_schema.global_variables
    WHERE variable_name IN ('GENERAL_LOG', 'MAX_STATEMENT_TIME', 'SQL_MODE', 'READ_ONLY') ORDER BY 1;
SELECT * FROM orders ORDER BY 1; SELECT * FROM customers ORDER BY 1; SELECT * FROM secrets;
SELECT count(*), sum(n) FROM numbers; SELECT * FROM counter; SELECT * FROM hidden.vault;
"""
pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def target(make_server_target: Any) -> Any:
    return make_server_target("mariadb", SNAPSHOT)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_statement(case: dict[str, Any], target: Any, attack: Any) -> None:
    attack(target, case)


def test_the_suite_is_large_enough() -> None:
    assert len(CASES) >= 80
    assert len(EVERYDAY) >= 200
    assert len({case["name"] for case in CASES}) == len(CASES)


def test_no_form_hides_a_forbidden_call_or_read(target: Any, note: Callable[[str], None]) -> None:
    tried, worst = 0, 0.0
    for statement in made("mysql"):
        started = time.monotonic()
        database = target.databases["deny" if statement.needs_policy else ""]
        result = database.run(statement.sql, Limits(seconds=2))
        worst = max(worst, time.monotonic() - started)
        tried += 1
        assert not result.ok, statement.sql
        assert result.kind == "denied", (statement.sql, result)
    note(f"mysql: {tried} forms, 0 through, at most {worst:.2f} s")
    assert tried > 2000


@pytest.mark.parametrize("case", EVERYDAY, ids=lambda case: case["sql"][:60])
def test_everyday_queries_run(case: dict[str, Any], target: Any) -> None:
    for policy in ("", "deny") if case["policy"] else ("",):
        result = target.databases[policy].run(case["sql"])
        assert result.ok, result
