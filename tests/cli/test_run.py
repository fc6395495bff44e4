"""critiql run: output, exit codes, and nothing hostile on the terminal."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from critiql.cli.main import app

runner = CliRunner()


@pytest.fixture
def db(tmp_path: Path) -> Path:
    path = tmp_path / "small.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE a (id INTEGER, x)")
        connection.execute("INSERT INTO a VALUES (1, 'one'), (2, x'00ff')")
        connection.commit()
    return path


def call(*arguments: object) -> Result:
    return runner.invoke(app, ["run", *map(str, arguments)])


def test_a_table_with_its_count(db: Path) -> None:
    result = call("SELECT * FROM a", "--db", db)
    assert result.exit_code == 0
    assert "one" in result.stdout
    assert "<2 bytes>" in result.stdout
    assert "2 rows" in result.stdout


def test_json_is_one_object(db: Path) -> None:
    result = call("SELECT id, x, 1e999 AS big FROM a", "--db", db, "--json", "--rows", 1)
    document = json.loads(result.stdout)
    assert document.pop("seconds") >= 0
    assert document == {
        "sql": "SELECT id, x, 1e999 AS big FROM a",
        "ok": True,
        "columns": ["id", "x", "big"],
        "rows": [[1, "one", "inf"]],
        "truncated": True,
    }
    blob = json.loads(call("SELECT x FROM a WHERE id = 2", "--db", db, "--json").stdout)
    assert blob["rows"] == [[{"base64": "AP8="}]]


def test_a_failure_is_typed_and_exits_with_one(db: Path) -> None:
    result = call("SELECT z FROM a", "--db", db, "--json")
    assert result.exit_code == 1
    document = json.loads(result.stdout)
    assert (document["ok"], document["kind"], document["name"]) == (False, "no_such_column", "z")
    plain = call("DELETE FROM a", "--db", db)
    assert plain.exit_code == 1
    assert "denied: only SELECT" in plain.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["SELECT 1", "--db", "nowhere.db"], 3, "There is no file"),
        ([], 2, "Give either a statement or --file"),
        (["SELECT 1", "--file", "x.sql"], 2, "Give either a statement or --file"),
        (["--file", "nowhere.sql"], 2, "cannot be read"),
    ],
)
def test_exit_codes(arguments: list[str], code: int, says: str) -> None:
    result = call(*arguments)
    assert result.exit_code == code
    assert says in result.stderr
    assert "Traceback" not in result.output


def test_many_statements_one_a_line(db: Path, tmp_path: Path) -> None:
    file = tmp_path / "many.sql"
    file.write_text("SELECT 1\n\nSELECT z FROM a\nSELECT 2\n")
    result = call("--file", file, "--db", db, "--json")
    assert [json.loads(line)["ok"] for line in result.stdout.splitlines()] == [True, False, True]
    assert result.exit_code == 1
    short = call("--file", file, "--db", db)
    assert [line.split("\t")[0] for line in short.stdout.splitlines()] == ["ok", "failed", "ok"]


def test_control_characters_and_markup_are_only_shown(db: Path) -> None:
    result = call("SELECT '[red]' || char(27) || '[31m' || char(7) || char(8238) AS \"[bold]\"", "--db", db)
    assert "[red]\\x1b[31m\\x07\\u202e" in result.stdout
    assert "[bold]" in result.stdout
    assert not {"\x1b", "\x07", "\u202e"} & set(result.output)


def test_limits_and_policy_reach_the_sandbox(db: Path) -> None:
    assert "is cut" not in call("SELECT 1", "--db", db).stdout
    assert "there is more" in call("SELECT id FROM a", "--db", db, "--rows", 1).stdout
    assert call("SELECT id FROM a", "--db", db, "--deny-column", "a.x").exit_code == 0
    assert call("SELECT x FROM a", "--db", db, "--deny-column", "a.x").exit_code == 1
    endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT max(x) FROM c"
    assert "timeout" in call(endless, "--db", db, "--seconds", 0.1).stderr
