"""A differential fuzz: two databases that differ only in what the policy denies must answer alike.

Random statements are asked of both, through the sandbox under the policy. An answer that differs has read
something denied, whatever it looked like. The same statements without a policy show that many would differ.
"""

import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from targets import attacked_duckdb, attacked_sqlite

from critiql.tools.database.guard.policy import AccessPolicy
from critiql.tools.database.open import open_database
from critiql.tools.database.result import Limits

pytestmark = pytest.mark.slow
POLICY = AccessPolicy(deny_tables=frozenset({"Secrets"}), deny_columns=frozenset({"customers.card"}))
CHANGES = ("UPDATE customers SET card = 'other' || id", "UPDATE secrets SET value = 'other'")
STATEMENTS = 600
RELATIONS = ("orders", "customers", "secrets", "public_customers", "leaky", "cards_view", "main.customers")
ALIASES = ("", " AS customers", " AS secrets", " AS c", ' "card"', " AS orders")
COLUMNS = ("id", "name", "card", "value", "amount", "c", "customers", "secrets", "*", "count(*)", "c.*", "1")
FORMS = (
    "SELECT {c} FROM {r}",
    "SELECT {c}, {c} FROM {r}",
    "SELECT {c} FROM (SELECT {c} FROM {r}) AS c",
    "SELECT {c} FROM (SELECT * FROM {r}) AS customers",
    "WITH customers AS (SELECT {c} FROM {r}) SELECT {c} FROM customers",
    "WITH secrets AS (SELECT {c} FROM {r}), c AS (SELECT * FROM secrets) SELECT {c} FROM c",
    "SELECT {c} FROM {r} JOIN {r} USING (id)",
    "SELECT count(*) FROM {r} NATURAL JOIN {r}",
    "SELECT count(*) FROM {r} NATURAL JOIN (SELECT 'CANARY-card-2f7' AS card)",
    "SELECT count(*) FROM {r} JOIN (SELECT 'CANARY-secret-90b' AS value) AS q USING (value)",
    "SELECT 1 FROM {r} WHERE {c} IS NOT NULL ORDER BY {c}",
    "SELECT {c} FROM {r} WHERE EXISTS (SELECT {c} FROM {r} WHERE {c} LIKE 'C%')",
    "SELECT max({c}) FROM {r} GROUP BY {c}",
    "SELECT (SELECT max({c}) FROM {r}) FROM {r}",
    "SELECT {c} FROM {r} UNION ALL SELECT {c} FROM {r}",
    "SELECT row_number() OVER (ORDER BY {c}) FROM {r}",
)
DUCKDB_FORMS = (
    "FROM {r}",
    "FROM {r} SELECT {c}",
    "SELECT * EXCLUDE (card) FROM {r}",
    "SELECT COLUMNS('^{c}') FROM {r}",
    "SELECT {c}::VARCHAR FROM {r}",
    "SELECT to_json({c}) FROM {r}",
    "SELECT DISTINCT ON (1) {c} FROM {r}",
    "PIVOT {r} ON {c} USING count(*)",
    "PIVOT (SELECT {c} FROM {r}) ON {c} USING count(*)",
    "SUMMARIZE SELECT {c} FROM {r}",
    "SELECT * FROM {r} SEMI JOIN {r} USING (id)",
    "SELECT * FROM {r} POSITIONAL JOIN {r}",
    "SELECT {c} FROM {r}, LATERAL (SELECT {c}) AS l",
    "SELECT list({c}) FROM {r}",
)


def _statements(seed: int, forms: tuple[str, ...]) -> Iterator[str]:
    chosen = random.Random(seed)
    for _ in range(STATEMENTS):
        sql = chosen.choice(forms)
        while "{r}" in sql:
            sql = sql.replace("{r}", chosen.choice(RELATIONS) + chosen.choice(ALIASES), 1)
        while "{c}" in sql:
            sql = sql.replace("{c}", chosen.choice(COLUMNS), 1)
        yield sql


def _twins(engine: str, folder: Path) -> tuple[str, str]:
    """URLs of two databases that differ only in what is denied."""
    names: list[str] = []
    for name in ("one", "other"):
        (folder / name).mkdir()
        made = (
            attacked_sqlite(folder / name, "delete") if engine == "sqlite" else attacked_duckdb(folder / name)
        )
        names.append(str(made))
    connection: Any = sqlite3.connect(names[1]) if engine == "sqlite" else duckdb.connect(names[1])
    for change in CHANGES:
        connection.execute(change)
    if engine == "sqlite":
        connection.commit()
    connection.close()
    first, second = (name if engine == "sqlite" else f"duckdb:///{name}" for name in names)
    return first, second


def _answers(url: str, policy: AccessPolicy | None, statements: list[str]) -> list[Any]:
    database = open_database(url, policy)
    try:
        results = [database.run(sql, Limits(seconds=5.0)) for sql in statements]
    finally:
        database.close()
    return [sorted(map(repr, one.rows)) if one.ok else None for one in results]


@pytest.mark.parametrize("engine", ["sqlite", "duckdb"])
def test_what_is_denied_changes_no_answer(engine: str, tmp_path: Path, note: Any) -> None:
    statements = list(_statements(15, FORMS + (DUCKDB_FORMS if engine == "duckdb" else ())))
    one, other = _twins(engine, tmp_path)
    held = list(zip(*(_answers(url, POLICY, statements) for url in (one, other)), strict=True))
    bare = list(zip(*(_answers(url, None, statements) for url in (one, other)), strict=True))
    different = [sql for sql, (a, b) in zip(statements, held, strict=True) if a != b]
    ran = sum(a is not None for a, _ in held)
    would = sum(a != b for a, b in bare)
    alike = sum(a is not None and a == b and pair[0] is None for (a, b), pair in zip(bare, held, strict=True))
    note(
        f"{engine}: {len(statements)} random statements, {ran} ran under the policy, {len(different)} "
        f"differed; without it {would} differ, and {alike} of those refused answer alike here"
    )
    assert different == []
    assert ran > STATEMENTS / 20
    assert would > STATEMENTS / 20
