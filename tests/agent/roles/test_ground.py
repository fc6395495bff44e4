"""What a question starts with: the prefix, the notes, and how much of a large schema."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from critiql.agent.context import Context
from critiql.agent.roles.ground import QuestionError, ground
from critiql.agent.state import State


def grounded(shop: Path, question: str = "What did Birch make?", evidence: str = "", **settings: Any) -> Any:
    state: State = {"question": question, "database": str(shop), "evidence": evidence}
    return ground(state, Context(model="scripted", **settings))


def test_the_prefix_is_the_same_for_every_question(shop: Path) -> None:
    first, second = grounded(shop), grounded(shop, "How many items are there?", evidence="one")
    assert first["schema_prefix"] == second["schema_prefix"]
    assert "CREATE TABLE maker" in first["schema_prefix"]
    assert "SQLite" in first["schema_prefix"]


def test_evidence_and_values_follow_the_question(shop: Path) -> None:
    notes = grounded(shop, evidence="Birch is a maker.", show_values=True)["notes"]
    assert notes.splitlines() == [
        "Evidence: Birch is a maker.",
        "Values in the database:",
        "maker.name = 'Birch' for \"Birch\"",
    ]


def test_no_row_is_shown_where_nothing_may_be_run(shop: Path) -> None:
    for schema_format in ("ddl", "mschema"):
        update = grounded(shop, execution=False, show_values=True, schema_format=schema_format)
        assert "Alder" not in update["schema_prefix"] + update["notes"]
        assert "maker" in update["schema_prefix"]


def test_a_large_schema_is_cut_to_what_the_question_names(
    tmp_path: Path, scripted: Callable[..., Any]
) -> None:
    scripted()
    path = tmp_path / "large.sqlite"
    connection = sqlite3.connect(path)
    for number in range(120):
        connection.execute(f"CREATE TABLE filler_{number} (id INTEGER PRIMARY KEY, note TEXT, amount REAL)")
    connection.execute("CREATE TABLE volcano (id INTEGER PRIMARY KEY, height REAL)")
    connection.close()
    update = grounded(path, "Which volcano has the greatest height?", schema_tokens=400, sample_rows=0)
    assert "volcano" in update["schema_prefix"]
    assert len(update["schema_prefix"]) < 2500


@pytest.mark.parametrize("question", ["", "  \n", "x" * 10_000])
def test_what_is_no_question_is_refused(shop: Path, question: str) -> None:
    with pytest.raises(QuestionError):
        grounded(shop, question)
