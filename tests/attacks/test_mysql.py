"""Every statement of the data file against a real MariaDB: nothing written, nothing leaked, in time."""

import hashlib
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from critiql.tools.database.mysql import open_mysql
from critiql.tools.database.policy import AccessPolicy

HERE = Path(__file__).parent
CASES = [json.loads(line) for line in (HERE / "mysql_statements.jsonl").read_text().splitlines()]
POLICIES = {
    "": AccessPolicy(),
    "deny": AccessPolicy(deny_tables=frozenset({"Secrets"}), deny_columns=frozenset({"customers.card"})),
    "allow": AccessPolicy(allow_tables=frozenset({"public_customers", "orders"})),
}
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
def target() -> Iterator[Any]:
    sys.path.append(str(HERE.parent / "servers"))
    from running import running

    server = running("mariadb")
    server.sql(
        "SET foreign_key_checks = 0; CREATE OR REPLACE DATABASE attacked; CREATE OR REPLACE DATABASE hidden",
        "mysql",
    )
    server.sql((HERE / "mysql_target.sql").read_text(), "attacked")
    open_folder = server.folder / "open"
    open_folder.mkdir()
    open_folder.chmod(0o777)
    (open_folder / "canary.txt").write_text("CANARY-file-51c")
    url = f"mysql://reader:reader-pass@127.0.0.1:{server.port}/attacked"
    databases = {name: open_mysql(url, policy) for name, policy in POLICIES.items()}
    yield server, open_folder, databases
    for database in databases.values():
        database.close()


@pytest.fixture
def ready(target: Any, make_target: Callable[..., Any]) -> Any:
    server, open_folder, databases = target
    made = make_target(
        "mysql",
        databases,
        open_folder,
        ["CANARY-file-51c", "CANARY-vault-d10"],
        ["CANARY-secret", "CANARY-card"],
    )
    folder_digest = made.fingerprint

    def fingerprint() -> str:
        snapshot = server.sql(SNAPSHOT, "attacked")
        return hashlib.sha256(snapshot.encode()).hexdigest() + folder_digest()

    return replace(made, fingerprint=fingerprint)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_statement(case: dict[str, Any], ready: Any, attack: Any) -> None:
    attack(ready, case)


def test_the_suite_is_large_enough() -> None:
    assert len(CASES) >= 80
    assert len({case["name"] for case in CASES}) == len(CASES)
