"""Builds the everyday databases, each with copies of other content, in the layout that scoring knows."""

import random
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

from critiql.evals.data.everyday import bike_rental, clinic, support_desk
from critiql.evals.data.everyday.rows import Rows
from critiql.tools.database.sample.build import SCHEMA as SHOP_SCHEMA
from critiql.tools.database.sample.build import SEED as SHOP_SEED
from critiql.tools.database.sample.build import tables as shop_tables
from critiql.tools.settings import settings

VERSION = 2
"""Raised with every change of the content, so that older files are not used."""


def _shop(rng: random.Random) -> dict[str, Rows]:
    return dict(shop_tables(rng)._asdict())


SOURCES: Mapping[str, tuple[str, Callable[[random.Random], dict[str, Rows]]]] = {
    "music_shop": (SHOP_SCHEMA, _shop),
    "clinic": (clinic.SCHEMA, clinic.tables),
    "bike_rental": (bike_rental.SCHEMA, bike_rental.tables),
    "support_desk": (support_desk.SCHEMA, support_desk.tables),
}
"""Schema and content of each database."""

SEEDS: Mapping[str, tuple[int, ...]] = {
    "music_shop": (SHOP_SEED, 9, 27, 29, 32),
    "clinic": (27, 53, 63, 290, 310),
    "bike_rental": (13, 19, 25, 31, 46),
    "support_desk": (1, 4, 5, 7, 8),
}
"""Seeds of the content: of the database that is asked, then of its copies.

Chosen so that no query of the reference turns on a tie (`tests/evals/data/everyday/test_questions.py`).
"""


def folder() -> Path:
    """Where the databases lie; made on first use.

    Raises:
        OSError: the cache folder cannot be written.
    """
    root = settings().cache / f"everyday_{VERSION}"
    for name in SOURCES:
        for number, seed in enumerate(SEEDS[name]):
            _make(root / "test_suite_database" / name / f"{name}{number or ''}.sqlite", name, seed)
        _make(root / "database" / name / f"{name}.sqlite", name, SEEDS[name][0])
    return root


def _make(path: Path, name: str, seed: int) -> None:
    if path.is_file():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    build(part, name, seed)
    part.replace(path)


def build(path: Path, name: str, seed: int) -> None:
    """Write one database, filled from a seed, to a new file."""
    schema, tables = SOURCES[name]
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(schema)
        for table, rows in tables(random.Random(seed)).items():
            marks = ", ".join("?" * len(rows[0]))
            connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
