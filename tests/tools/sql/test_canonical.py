"""The canonical print: stable, and of the same meaning."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from critiql.tools.sql.canonical import canonical, fingerprint
from critiql.tools.sql.parse import Parsed, parse

FIXTURES = Path(__file__).parents[2] / "fixtures" / "sql"


def cases() -> list[dict[str, Any]]:
    return [
        json.loads(line) for line in (FIXTURES / "canonical.jsonl").read_text(encoding="utf-8").splitlines()
    ]


def queries() -> list[str]:
    lines = (FIXTURES / "queries.sql").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if not line.startswith("--")]


@pytest.mark.parametrize("case", cases(), ids=lambda case: case["sql"])
def test_print(case: dict[str, Any]) -> None:
    assert fingerprint(case["sql"]) == case["canonical"]


@pytest.mark.parametrize("sql", queries())
def test_same_meaning_and_stable(sql: str, library: sqlite3.Connection) -> None:
    parsed = parse(sql)
    assert isinstance(parsed, Parsed)
    printed = canonical(parsed.tree)
    assert library.execute(printed).fetchall() == library.execute(sql).fetchall()
    assert fingerprint(printed) == printed


def test_a_text_that_does_not_parse_is_folded() -> None:
    assert fingerprint("SELECT  a\n FROM ;") == "SELECT a FROM"
    assert fingerprint("no   sql") == "no sql"


def test_an_unknown_name_in_backticks_does_not_turn_into_text(library: sqlite3.Connection) -> None:
    with pytest.raises(sqlite3.OperationalError, match="no such column"):
        library.execute(fingerprint("SELECT `no such` FROM book"))


@pytest.mark.data
@pytest.mark.slow
def test_prints_of_the_benchmarks_are_stable(benchmark_sql: list[str]) -> None:
    for sql in benchmark_sql:
        printed = fingerprint(sql)
        assert fingerprint(printed) == printed
