"""A small data set of our own: one library under several names, so that both parts have databases."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from critiql.evals.data.datasets import load
from critiql.evals.data.item import Dataset

ERRORS = Path(__file__).parents[1] / "fixtures/errors"
NAMES = ("north", "south", "harbour", "garden")


@pytest.fixture(scope="session")
def own_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Questions over four copies of the library, every query with each of them in turn."""
    folder = tmp_path_factory.mktemp("own")
    queries = (ERRORS / "queries.sql").read_text(encoding="utf-8").splitlines()[1:22]
    for name in NAMES:
        with closing(sqlite3.connect(folder / f"{name}.sqlite")) as connection:
            connection.executescript((ERRORS / "library.sql").read_text(encoding="utf-8"))
    rows = [
        {"database": f"{NAMES[number % len(NAMES)]}.sqlite", "question": f"Question {number}?", "sql": sql}
        for number, sql in enumerate(queries)
    ]
    path = folder / "own.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def own(own_file: Path) -> Dataset:
    """The same as a loaded data set."""
    return load(str(own_file))
