"""critiql refine: one query, a file of many, and what it says of wrong use."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from critiql.cli.main import app

SETTINGS = ("--model", "scripted", "--set", "llm_critic=off")


def refine(*arguments: str, stdin: str = "") -> Any:
    return CliRunner().invoke(app, ["refine", *arguments, *SETTINGS], input=stdin)


def test_json_is_one_object(scripted: Callable[..., Any], shop: Path) -> None:
    scripted(["SELECT 1"])
    done = refine("-", "--db", str(shop), "--question", "Which?", "--json", stdin="SELECT titel FROM item")
    document = json.loads(done.stdout)
    assert done.exit_code == 0
    assert (document["before"], document["after"]) == ("SELECT titel FROM item", "SELECT title FROM item")
    assert document["changed"] is True
    assert document["rows"] == [["chair"], ["table"], ["lamp"]]


def test_the_screen_shows_finding_reason_query_and_rows(scripted: Callable[..., Any], shop: Path) -> None:
    scripted(["SELECT 1"])
    done = refine("SELECT titel FROM item", "--db", str(shop), "--question", "Which?")
    for part in (
        "Attribute Mismatch",
        "no such column",
        "Replaced by a repair by rule",
        "lamp",
        "0 model calls",
    ):
        assert part in done.output


def test_a_file_of_many_goes_to_a_file(scripted: Callable[..., Any], shop: Path, tmp_path: Path) -> None:
    scripted(["SELECT 1"])
    file, out = tmp_path / "in.csv", tmp_path / "out.jsonl"
    file.write_text("sql,question\nSELECT titel FROM item,Which?\nSELECT title FROM item,Which?\n")
    arguments = ("--file", str(file), "--out", str(out), "--db", str(shop))
    first, again = refine(*arguments), refine(*arguments)
    assert (first.exit_code, again.exit_code) == (0, 0)
    assert "2 queries, 2 to go" in first.output
    assert "1 replaced, 1 kept" in first.output
    assert "2 queries, 0 to go" in again.output
    assert [json.loads(line)["changed"] for line in out.read_text().splitlines()] == [True, False]


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("--question", "Which?"), 2, "either a query or --file"),
        (("SELECT 1", "--out", "x.jsonl"), 2, "belong together"),
        (("SELECT 1",), 2, "no question"),
        (("SELECT 1", "--question", "Which?", "--db", "nowhere.sqlite"), 3, "nowhere.sqlite"),
        (("--file", "nowhere.csv", "--out", "x.jsonl"), 2, "no file of queries"),
    ],
)
def test_wrong_use(scripted: Callable[..., Any], arguments: tuple[str, ...], code: int, says: str) -> None:
    scripted(["SELECT 1"])
    done = refine(*arguments)
    assert done.exit_code == code, done.output
    assert says in " ".join(done.output.split())
    assert "Traceback" not in done.output
