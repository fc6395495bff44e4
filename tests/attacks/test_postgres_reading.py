"""Our reading of a statement against the server's: every form around what is forbidden, random queries,
daily ones."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from engine_reading import engine_reading
from filled_forms import made
from random_queries import Maker
from running import Server
from targets import attacked_server

from critiql.tools.database.engine import Database
from critiql.tools.database.guard.policy import AccessPolicy
from critiql.tools.database.open import open_database
from critiql.tools.database.result import Limits

DENY = AccessPolicy(deny_tables=frozenset({"Secrets"}), deny_columns=frozenset({"customers.card"}))
FIXTURES = Path(__file__).parents[1] / "fixtures" / "attacks"
EVERYDAY = [
    json.loads(line) for line in (FIXTURES / "postgres_everyday.jsonl").read_text("utf-8").splitlines()
]
RANDOM_QUERIES = 2000
LOCKS = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def server() -> Server:
    return attacked_server("postgres")


@pytest.fixture(scope="module")
def databases(server: Server) -> Iterator[dict[bool, Database]]:
    """Without and with a policy."""
    found = {has: open_database(server.url("attacked"), DENY if has else None) for has in (False, True)}
    yield found
    for database in found.values():
        database.close()


@pytest.fixture(scope="module")
def superuser(server: Server) -> Iterator[Any]:
    url = server.url("attacked", "postgres:admin-pass").replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


def test_no_form_hides_a_forbidden_call_or_read(
    server: Server, databases: dict[bool, Database], note: Callable[[str], None]
) -> None:
    tried = through = 0
    worst = 0.0
    for statement in made("postgres"):
        started = time.monotonic()
        result = databases[statement.needs_policy].run(statement.sql, Limits(seconds=2))
        worst = max(worst, time.monotonic() - started)
        tried += 1
        through += result.ok or result.kind != "denied"
        assert not result.ok, statement.sql
        assert result.kind == "denied", (statement.sql, result)
    note(f"postgres: {tried} forms, {through} through, at most {worst:.2f} s")
    assert tried > 3000
    assert server.sql(LOCKS, "attacked").strip() == "0"


def _forbidden(superuser: Any) -> Callable[[Any], bool]:
    """Whether what the server says it reads or calls is what the policy denies."""
    numbers = dict(superuser.execute("SELECT relname, oid::int FROM pg_class").fetchall())
    tables = {numbers["secrets"], numbers["secrets_old"]}
    cards = {(numbers[name], place) for name in ("customers", "customers_old") for place in (0, 4)}
    users = {oid for (oid,) in superuser.execute("SELECT oid::int FROM pg_proc WHERE oid >= 16384")}
    return lambda reading: bool(
        reading.relations & tables or reading.columns & cards or reading.functions & users
    )


def test_what_we_accept_reads_nothing_denied_by_the_servers_own_reading(
    databases: dict[bool, Database], superuser: Any, note: Callable[[str], None]
) -> None:
    is_forbidden, maker, counts = _forbidden(superuser), Maker(2026), Counter[str]()
    for _ in range(RANDOM_QUERIES):
        sql = maker.query()
        reading = engine_reading(superuser, sql)
        if reading is None:
            counts["not SQL"] += 1
            continue
        result = databases[True].run(sql)
        is_refused = not result.ok and result.kind == "denied"
        assert is_refused or not is_forbidden(reading), sql
        counts["refused" if is_refused else "accepted"] += 1
        counts["wrongly refused"] += is_refused and not is_forbidden(reading)
    note(f"postgres: random queries against the server's own reading: {dict(counts)}")
    assert min(counts["accepted"], counts["refused"]) > 100
    assert counts["wrongly refused"] <= counts["accepted"] * 0.01


@pytest.mark.parametrize("case", EVERYDAY, ids=lambda case: case["sql"][:60])
def test_everyday_queries_run(case: dict[str, Any], databases: dict[bool, Database]) -> None:
    for has_policy in (False, True):
        if case["policy"] or not has_policy:
            result = databases[has_policy].run(case["sql"])
            assert result.ok, result


def test_there_are_many_everyday_queries() -> None:
    assert len(EVERYDAY) >= 200
