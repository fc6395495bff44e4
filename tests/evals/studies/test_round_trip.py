"""The round-trip table on a benchmark folder of three queries."""

import json
import sqlite3
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from critiql.evals.studies.round_trip import main, measure
from critiql.tools.settings import settings


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "spider" / "database" / "shop"
    folder.mkdir(parents=True)
    with sqlite3.connect(folder / "shop.sqlite") as connection:
        connection.execute("CREATE TABLE t (a INTEGER)")
        connection.execute("INSERT INTO t VALUES (1), (2)")
    connection.close()
    rows = [
        {"db_id": "shop", "query": "SELECT a FROM t WHERE a = 1 OR a = 2"},
        {"db_id": "shop", "query": "SELECT b FROM t"},
        {"db_id": "absent", "query": "SELECT 1"},
        {"db_id": "shop", "query": "SELECT FROM"},
    ]
    (tmp_path / "spider" / "dev.json").write_text(json.dumps(rows), encoding="utf-8")
    return tmp_path


def test_every_query_is_accounted_for(root: Path) -> None:
    tally = measure("Spider dev", root, execution=True)
    assert (tally.queries, tally.unparsed, tally.same_text) == (4, 1, 3)
    assert (tally.executed, tally.same_rows, tally.both_failed, tally.without_database) == (1, 1, 1, 1)
    assert tally.failures == {"no_such_column": 1}
    assert tally.different == []


def test_table_names_the_sets_that_are_missing(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRITIQL_DATA", str(root))
    settings.cache_clear()
    app = typer.Typer()
    app.command()(main)
    result = CliRunner().invoke(app, ["--no-execution", "--out", str(root / "table.json")])
    settings.cache_clear()
    assert result.exit_code == 0
    found = json.loads((root / "table.json").read_text(encoding="utf-8"))
    assert "BIRD mini-dev" in found["not_run"]
    assert found["sets"]["Spider dev"]["same_through_json"] == 3
    assert found["sets"]["Spider dev"]["executed"] == 0
