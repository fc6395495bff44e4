"""Every statement of the data file against a real PostgreSQL: nothing written, nothing leaked, in time."""

import hashlib
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from critiql.tools.database.policy import AccessPolicy
from critiql.tools.database.postgres import open_postgres

HERE = Path(__file__).parent
CASES = [json.loads(line) for line in (HERE / "postgres_statements.jsonl").read_text().splitlines()]
DENY = AccessPolicy(deny_tables=frozenset({"Secrets"}), deny_columns=frozenset({"customers.card"}))
POLICIES = {
    "": AccessPolicy(),
    "deny": DENY,
    "allow": AccessPolicy(allow_tables=frozenset({"public_customers", "orders", "measures"})),
}
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


@pytest.fixture(scope="module")
def target() -> Iterator[Any]:
    sys.path.append(str(HERE.parent / "servers"))
    from running import running

    server = running("postgres")
    server.sql("CREATE DATABASE attacked", "postgres")
    server.sql((HERE / "postgres_target.sql").read_text(), "attacked")
    open_folder = server.folder / "open"
    open_folder.mkdir()
    open_folder.chmod(0o777)
    (open_folder / "canary.txt").write_text("CANARY-file-51c")
    url = f"postgresql://reader:reader-pass@127.0.0.1:{server.port}/attacked"
    databases = {name: open_postgres(url, policy) for name, policy in POLICIES.items()}
    yield server, open_folder, databases
    for database in databases.values():
        database.close()


@pytest.fixture
def ready(target: Any, make_target: Callable[..., Any]) -> Any:
    server, open_folder, databases = target
    made = make_target(
        "postgres",
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


TIMED = [
    pytest.param(case, id=case["name"], marks=[pytest.mark.slow] if case["category"] == "bomb" else [])
    for case in CASES
]
"""How a bomb ends depends on the machine's speed, so bombs are left to the longer check."""


@pytest.mark.parametrize("case", TIMED)
def test_statement(case: dict[str, Any], ready: Any, attack: Any) -> None:
    attack(ready, case)


def test_the_suite_is_large_enough() -> None:
    assert len(CASES) >= 80
    assert len({case["name"] for case in CASES}) == len(CASES)
