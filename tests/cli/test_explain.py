"""critiql explain: what it prints, its JSON, and its exit codes."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from critiql.cli.explain import explain
from critiql.cli.screen import exit_codes

DDL = Path(__file__).parents[1] / "fixtures" / "trajectory" / "shop.sql"
app = typer.Typer()
app.command()(explain)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("shop") / "shop.sqlite"
    with sqlite3.connect(path) as connection:
        connection.executescript(DDL.read_text(encoding="utf-8"))
    connection.close()
    return str(path)


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), env={"COLUMNS": "100"})


def test_reads_as_a_story(shop: str) -> None:
    result = call("SELECT country, COUNT(*) AS n FROM customers WHERE id > 1 GROUP BY country", "--db", shop)
    assert result.exit_code == exit_codes.OK
    assert [line.rstrip() for line in result.stdout.splitlines()] == [
        "  1  res = scan(customers)",
        "     Start with every row of customers.  -> 4 rows",
        "        id  name  country  joined",
        "        1   Ada   UK       2020-01-05",
        "        2   Bela  HU       2021-03-01",
        "        3   Cleo  UK       2021-07-09",
        "  2  .where(id > 1)",
        "     Keep the rows where id > 1.  -> 3 rows",
        "  3  .groupby(country)",
        "     Put rows with the same country into one group.  -> 3 groups",
        "        country  rows",
        "        NULL     1",
        "        HU       1",
        "        UK       1",
        "  4  .agg(country, COUNT(*) AS n)",
        "     Make one row per group: country, COUNT(*) AS n.  -> 3 rows",
        "        country  n",
        "        NULL     1",
        "        HU       1",
        "        UK       1",
    ]


def test_says_where_rows_vanish(shop: str) -> None:
    result = call("SELECT name FROM customers WHERE country = 'FR'", "--db", shop)
    assert "Line 2: .where(country = 'FR') leaves none of 4 rows" in result.stdout


def test_json_is_one_object(shop: str) -> None:
    result = call("SELECT name FROM customers WHERE id = 9", "--db", shop, "--json")
    found: dict[str, Any] = json.loads(result.stdout)
    assert [step["rows"] for step in found["steps"]] == [4, 0, 0]
    assert found["evidence"][0]["kind"] == "vanish"
    assert found["trajectory"]["frames"][0]["steps"][1] == {"action": "where", "condition": "id = 9"}


def test_without_a_database_steps_are_told() -> None:
    result = call("SELECT a FROM t WHERE a > 1", "--dialect", "postgres")
    assert result.exit_code == exit_codes.OK
    assert "Keep the rows where a > 1." in result.stdout
    assert "rows\n" not in result.stdout.replace("every row of t", "")


def test_sample_database_is_the_default() -> None:
    result = call("SELECT name FROM genres", "--sample", "1")
    assert "-> 8 rows" in result.stdout
    assert "Rock" in result.stdout


def test_file_round_trip(shop: str, tmp_path: Path) -> None:
    lines = [
        {"sql": "SELECT name FROM customers ORDER BY id", "db": shop},
        {"sql": "SELECT FROM WHERE"},
        {"sql": "SELECT a FROM nowhere", "db": shop},
        {"sql": "SELECT `a` FROM t"},
    ]
    file = tmp_path / "queries.jsonl"
    file.write_text("\n".join(json.dumps(line) for line in lines) + "\n\n", encoding="utf-8")
    result = call("--file", str(file), "--round-trip")
    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.exit_code == exit_codes.FAILED
    assert "3 of 4 queries came back the same." in result.stderr
    assert found[0]["same_text"]
    assert found[0]["same_rows"]
    assert "problem" in found[1]
    assert found[2]["same_rows"] is None
    assert found[2]["failure"].startswith("no_such_table")
    assert "same_rows" not in found[3]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ((), exit_codes.USAGE, "Give either a query or --file."),
        (("SELECT 1", "--file", "x.jsonl"), exit_codes.USAGE, "Give either a query or --file."),
        (("--file", "missing.jsonl"), exit_codes.USAGE, "cannot be read"),
        (("SELECT 1", "--db", "missing.sqlite"), exit_codes.DATABASE, "missing.sqlite"),
        (("SELECT FROM",), exit_codes.FAILED, "Expected"),
    ],
)
def test_failures_are_sentences(arguments: tuple[str, ...], code: int, words: str) -> None:
    result = call(*arguments)
    assert result.exit_code == code
    assert words in result.stderr or code == exit_codes.FAILED
    assert result.stderr.strip()
    assert "Traceback" not in result.output


@pytest.mark.parametrize("line", ["not json", '{"query": "SELECT 1"}', "[]"])
def test_bad_lines_are_named(line: str, tmp_path: Path) -> None:
    file = tmp_path / "queries.jsonl"
    file.write_text('{"sql": "SELECT 1"}\n' + line, encoding="utf-8")
    result = call("--file", str(file))
    assert result.exit_code == exit_codes.USAGE
    assert "Line 2" in result.stderr
