"""Readings of a critic on a made set: which examples count, and that the area follows the readings."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from critiql.evals.studies.critic_readings import Read, examples, main, summary
from critiql.evals.studies.decide_replay import EXPORTS

PUBLISHED = EXPORTS / "critic_readings_1.5b.jsonl"


def row(index: int, kind: str, part: str = "validation", request: str = "") -> dict[str, Any]:
    said = {"prefix": "tables", "request": request or f"query {index}", "opening": "", "answer": "True"}
    return {"task": "llm_critic", "kind": kind, "part": part, "db_id": "shop", "index": index, **said}


@pytest.fixture
def made(tmp_path: Path) -> Path:
    path = tmp_path / "set.jsonl"
    rows = [row(1, "right"), row(2, "wrong"), row(3, "right", "train"), row(4, "wrong", request="query 1")]
    path.write_text("".join(json.dumps(each) + "\n" for each in rows))
    return path


def test_only_what_validates_counts_and_each_once(made: Path) -> None:
    assert sorted(each["request"] for each in examples([made, made])) == ["query 1", "query 2"]


def test_the_area_is_one_where_every_right_query_reads_higher() -> None:
    readings = [(0.9, True), (0.8, True), (0.3, False), (0.2, False)]
    told = summary([Read("shop", place, right, value) for place, (value, right) in enumerate(readings)])
    assert (told["auc"], told["right"], told["databases"]) == (1.0, 2, 1)


def test_the_command_keeps_what_it_read(made: Path, tmp_path: Path, scripted: Callable[..., Any]) -> None:
    import typer

    scripted(truths=lambda prompt: 0.9 if prompt.request == "query 1" else 0.1)
    app = typer.Typer()
    app.command()(main)
    rows = tmp_path / "rows.jsonl"
    done = CliRunner().invoke(app, [str(made), "--model", "scripted", "--rows", str(rows)])
    assert done.exit_code == 0, done.output
    read = [json.loads(line) for line in rows.read_text().splitlines()]
    assert [round(each["p_true"], 2) for each in read] == [0.9, 0.1]


def test_the_published_readings_give_the_published_areas() -> None:
    rows = [json.loads(line) for line in PUBLISHED.read_text().splitlines()]
    told = {
        name: summary(
            [Read(*(row[field] for field in Read._fields)) for row in rows if row["critic"] == name]
        )
        for name in ("base", "trained")
    }
    assert {name: (one["auc"], one["queries"], one["databases"]) for name, one in told.items()} == {
        "base": (0.846, 133, 15),
        "trained": (0.837, 133, 15),
    }
