"""Files with random bytes changed: rows, a typed failure or a `DatabaseError`, never anything else."""

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from targets import attacked_duckdb, attacked_sqlite

from critiql.tools.database.engine import DatabaseError
from critiql.tools.database.open import open_database
from critiql.tools.database.result import Limits

pytestmark = pytest.mark.slow
COPIES = {"sqlite": 400, "duckdb": 100}
STATEMENTS = ("SELECT * FROM orders", "SELECT * FROM public_customers", "SELECT max(n) FROM numbers")


def _damaged(whole: bytes, rng: random.Random) -> bytes:
    found = bytearray(whole)
    for _ in range(rng.randint(1, 500)):
        found[rng.randrange(len(found))] = rng.randrange(256)
    return bytes(found)


def _outcome(url: str) -> str:
    """What opening the file, reading its schema and three statements came to, the worst of it."""
    try:
        database = open_database(url)
    except DatabaseError:
        return "not opened"
    try:
        database.schema()
        return "rows" if all(database.run(sql, Limits(1.0)).ok for sql in STATEMENTS) else "a failure"
    finally:
        database.close()


@pytest.mark.parametrize("engine", COPIES)
def test_a_damaged_file(engine: str, tmp_path: Path, note: Callable[[str], None]) -> None:
    rng = random.Random(5)
    path = attacked_sqlite(tmp_path) if engine == "sqlite" else attacked_duckdb(tmp_path)
    whole = path.read_bytes()
    outcomes: Counter[str] = Counter()
    for _ in range(COPIES[engine]):
        path.write_bytes(_damaged(whole, rng))
        outcomes.update([_outcome(str(path) if engine == "sqlite" else f"duckdb:///{path}")])
    note(f"{engine}: {COPIES[engine]} damaged copies: {dict(outcomes)}")
    assert len(outcomes) > 1 or engine == "duckdb"
