"""critiql memory: add, list, remove and export from a shell."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from critiql.cli.main import app
from critiql.tools.question_pairs import read_pairs
from critiql.tools.settings import settings

QUESTION = "How many makers are there in Norway?"
SQL = "SELECT COUNT(*) FROM maker WHERE country = 'Norway'"


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["memory", *arguments])


@pytest.fixture
def name(shop: Path) -> str:
    """The name of a pair that is kept."""
    done = run("add", QUESTION, SQL, "--db", str(shop), "--who", "Ines")
    assert done.exit_code == 0, done.output
    return str(json.loads(run("list", "--json").stdout)[0]["id"])


def test_adding_shows_the_rows_and_listing_says_who_and_when(shop: Path, name: str) -> None:
    done = run("add", "How many items are there?", "SELECT COUNT(*) FROM item", "--db", str(shop))
    assert "3" in done.output
    assert "Kept as shop-" in done.output
    said = run("list", "--db", str(shop)).output
    for part in (QUESTION, SQL, name, "by Ines", "20", "How many items"):
        assert part in said
    assert "changed since" not in said


def test_a_query_that_does_not_run_is_a_sentence(shop: Path) -> None:
    done = run("add", QUESTION, "DELETE FROM maker", "--db", str(shop), "--who", "Ines")
    assert done.exit_code == 2
    assert "not kept. denied" in " ".join(done.output.split())
    assert "Nothing is verified yet" in run("list").output


def test_removing(name: str) -> None:
    assert run("remove", name).exit_code == 0
    again = run("remove", name)
    assert again.exit_code == 2
    assert "critiql memory list" in again.output


@pytest.mark.parametrize("ending", ["jsonl", "csv"])
def test_an_export_is_a_file_of_examples(ending: str, name: str, tmp_path: Path) -> None:
    file = tmp_path / f"pairs.{ending}"
    assert run("export", str(file)).exit_code == 0
    assert [(pair.question, pair.sql, pair.database) for pair in read_pairs(file)] == [
        (QUESTION, SQL, "shop")
    ]
    text = file.read_text()
    rows = list(csv.DictReader(text.splitlines())) if ending == "csv" else [json.loads(text)]
    assert (rows[0]["who"], rows[0]["id"]) == ("Ines", name)
    assert json.loads(run("export").stdout)["sql"] == SQL


@pytest.mark.parametrize("file", ["pairs.txt", "nowhere/pairs.csv"])
def test_an_export_that_cannot_be_written_is_a_sentence(file: str, name: str, tmp_path: Path) -> None:
    done = run("export", str(tmp_path / file))
    assert done.exit_code == 2
    assert name not in done.output


def test_damaged_files_and_control_characters_are_only_shown(name: str) -> None:
    file = settings().memory / f"{name}.json"
    file.write_text(file.read_text().replace("Ines", "[red]\\u001b[2J\\u202eInes"))
    (settings().memory / "bad.json").write_text("{")
    done = run("list")
    assert done.exit_code == 0
    assert "[red]" in done.output
    assert "\x1b[2J" not in done.output
    assert "\u202e" not in done.output
    assert "bad.json cannot be read" in " ".join(done.stderr.split())


def test_the_trace_of_ask_names_the_pair(scripted: Callable[..., Any], shop: Path, name: str) -> None:
    scripted([SQL], [0.9])
    options = [
        "ask",
        "How many makers are there in Peru?",
        "--db",
        str(shop),
        "--model",
        "scripted",
        "--fresh",
    ]
    assert name in CliRunner().invoke(app, options).output
    assert name not in CliRunner().invoke(app, [*options, "--set", "memory=false"]).output
