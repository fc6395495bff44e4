"""A user's own pairs: what runs is learnt, a fifth is held out, and what cannot be used is said."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from critiql.tools.database.engine import Database
from critiql.tools.database.open import open_database
from critiql.tools.question_pairs import PairsError
from critiql.tools.sql.canonical import fingerprint
from critiql.training.data.own_pairs import OwnPairsError, own_pairs

LIBRARY = Path(__file__).parents[2] / "fixtures/errors/library.sql"
CASES = json.loads((Path(__file__).parents[2] / "fixtures/training/own_pairs.json").read_text())


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    path = tmp_path_factory.mktemp("own") / "library.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(LIBRARY.read_text(encoding="utf-8"))
    with closing(open_database(path)) as database:
        yield database


def written(folder: Path, rows: list[dict[str, Any]], name: str = "mine.jsonl") -> Path:
    file = folder / name
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return file


def pairs(count: int, **more: str) -> list[dict[str, str]]:
    return [
        {
            "question": f"Which books have over {number} pages?",
            "sql": f"SELECT title FROM book WHERE pages > {number}",
        }
        | more
        for number in range(count)
    ]


def test_a_fifth_is_held_out_and_no_query_is_in_both_parts(tmp_path: Path, library: Database) -> None:
    twice = pairs(20) + [{**one, "question": f"{one['question']} Please."} for one in pairs(5)]
    rows = own_pairs(written(tmp_path, twice), library, 0).rows
    held = {fingerprint(row["answer"]) for row in rows if row["part"] == "validation"}
    assert len([row for row in rows if row["part"] == "validation"]) == 5
    assert len(rows) == 25
    assert held.isdisjoint({fingerprint(row["answer"]) for row in rows if row["part"] == "train"})
    assert own_pairs(written(tmp_path, twice), library, 0).rows == rows


def test_an_example_is_the_actor_s_prompt(tmp_path: Path, library: Database) -> None:
    row = own_pairs(written(tmp_path, pairs(10)), library, 0).rows[0]
    assert row["task"] == "actor"
    assert row["prefix"].startswith("You are an expert in SQLite.")
    assert row["answer"].startswith("```sql\nSELECT title FROM book WHERE pages > ")


def test_what_does_not_run_is_named_and_left_out(tmp_path: Path, library: Database) -> None:
    bad = {"question": "Which colours are there?", "sql": "SELECT colour FROM book"}
    own = own_pairs(written(tmp_path, [bad, *pairs(12)]), library, 0)
    assert len(own.rows) == 12
    assert own.left_out == ["mine.jsonl, line 1, does not run and is left out: no such column: colour"]


def test_a_memory_s_export_is_read(tmp_path: Path, library: Database) -> None:
    more = {"database": "library", "who": "ann", "when": "2026-01-01T00:00:00Z", "structure": "x", "id": "y"}
    assert len(own_pairs(written(tmp_path, pairs(10, **more)), library, 0).rows) == 10


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_what_cannot_be_used_is_said(case: dict[str, Any], tmp_path: Path, library: Database) -> None:
    file = tmp_path / case["file"]
    lines = case.get("lines") or [json.dumps(row) for row in pairs(case["pairs"]) + case["more"]]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    with pytest.raises((PairsError, OwnPairsError), match=case["says"]):
        own_pairs(file, library, 0)
