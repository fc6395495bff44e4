import json
import sqlite3
from contextlib import closing
from functools import cache
from pathlib import Path

import pytest

from critiql.evals.data import task
from critiql.evals.data.task import names, questions


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A user's own file of eight questions on two databases."""
    for name in ("one", "two"):
        with closing(sqlite3.connect(tmp_path / f"{name}.sqlite")) as connection:
            connection.executescript("create table t (a); insert into t values (1);")
    rows = [
        {"database": f"{('one', 'two')[n % 2]}.sqlite", "question": f"q{n}", "sql": "select a from t"}
        for n in range(8)
    ]
    path = tmp_path / "own.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def test_a_file_of_ones_own_is_asked_whole_or_drawn_from(own: Path) -> None:
    whole, drawn = questions(str(own)), questions(str(own), limit=4, seed=1)
    assert (len(whole.items), whole.label, whole.dataset) == (8, "own", "own")
    assert sorted(item.db_id for item in drawn.items) == ["one", "one", "two", "two"]
    assert drawn.label == "own, 4 drawn with seed 1"


@pytest.mark.parametrize("name", ["nothing-like-that", "missing.jsonl"])
def test_what_is_not_there_is_named(name: str) -> None:
    with pytest.raises(ValueError, match=r"no data set|missing"):
        questions(name)


def test_a_task_names_its_questions_and_refuses_other_files(
    own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = next(iter(task.load(str(own)).sources.values()))
    document = {
        "name": "t",
        "version": 2,
        "dataset": str(own),
        "indices": [1, 6],
        "sources": {own.name: digest},
    }
    monkeypatch.setattr(task, "FOLDER", tmp_path / "tasks")
    (tmp_path / "tasks").mkdir()
    file = tmp_path / "tasks" / "t.json"
    file.write_text(json.dumps(document))
    found = questions("t")
    assert (found.label, [item.index for item in found.items]) == ("t v2", [1, 6])
    file.write_text(json.dumps(document | {"indices": [1, 99]}))
    with pytest.raises(ValueError, match="1 of the 2 questions of t are missing"):
        questions("t")
    file.write_text(json.dumps(document | {"sources": {own.name: "other"}}))
    with pytest.raises(ValueError, match="drawn from other files"):
        questions("t")


@pytest.mark.data
def test_shipped_tasks_are_whole_and_fit_shares_no_database_with_tuning(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(task, "load", cache(task.load))
    if task.load("spider-dev").not_run:
        pytest.skip("CRITIQL_DATA names no folder with Spider")
    found = {name: questions(name) for name in names()}
    databases = {name: {item.db_id for item in asked.items} for name, asked in found.items()}
    assert not databases["spider-train-fit"] & databases["spider-train-300"]
    assert (len(found["spider-train-fit"].items), len(databases["spider-train-fit"])) == (440, 44)
    assert {len(found[name].items) for name in ("spider-train-300", "spider-dev-300")} == {300}


def test_the_tasks_that_ship_are_found() -> None:
    assert {"spider-dev-300", "spider-train-300", "spider-syn-train-300"} <= set(names())
