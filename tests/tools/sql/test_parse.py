"""Reading one query: what is refused, of which kind, and that nothing crashes or logs."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from critiql.tools.sql.parse import MAX_CHARACTERS, Parsed, ParseFailure, parse

CASES = Path(__file__).parents[2] / "fixtures" / "sql" / "parse_failures.jsonl"


def cases() -> list[dict[str, Any]]:
    return [json.loads(line) for line in CASES.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("case", cases(), ids=lambda case: case["sql"][:40])
def test_refused(case: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        found = parse(case["sql"])
    assert isinstance(found, ParseFailure), found
    assert found.kind == case["kind"], found
    assert found.message.endswith(".")
    assert "Token" not in found.message
    assert not caplog.records


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("SELECT " + "x" * MAX_CHARACTERS, "too_large"),
        ("SELECT '" + "a" * 1_500_000 + "'", "too_large"),
        ("SELECT " + "(" * 5000 + "1" + ")" * 5000, "too_deep"),
        ("SELECT " + "(" * 30 + "1" + ")" * 30, None),
        ("SELECT 1 WHERE " + " OR ".join(["a = 1"] * 5000), "too_deep"),
        ("SELECT 1 WHERE " + " AND ".join(["a = 1"] * 149), None),
        ("SELECT " + "NOT " * 5000 + "1", "too_deep"),
        ("SELECT " + "- " * 5000 + "1", "too_deep"),
        ("SELECT " + "- " * 31 + "1", "too_deep"),
        ("SELECT " + "NOT " * 29 + "1", None),
        ("SELECT " + "CASE WHEN 1 THEN " * 2000 + "1" + " END" * 2000, "too_deep"),
        (" UNION ".join(["SELECT 1"] * 2000), "too_deep"),
        (" UNION ".join(["SELECT 1"] * 100), None),
        ("SELECT 1 FROM " + "(SELECT 1 FROM " * 200 + "t" + ")" * 200, "too_deep"),
        ("SELECT 1 WHERE a IN (" + ", ".join(["1"] * 9000) + ")", None),
        ("SELECT " + ", ".join(f"c{i}" for i in range(5000)), None),
    ],
    ids=lambda value: str(value)[:24],
)
def test_size_and_depth(sql: str, kind: str | None) -> None:
    found = parse(sql)
    assert (found.kind if isinstance(found, ParseFailure) else None) == kind


def test_a_failure_says_where() -> None:
    found = parse("SELECT title\nFROM book WHERE year = = 3")
    assert isinstance(found, ParseFailure)
    assert (found.line, found.column) == (2, 24)


@pytest.mark.parametrize(
    "sql",
    ["SELECT 1", "SELECT 1;", " SELECT 1 ; -- done", "(SELECT 1)", "WITH a AS (SELECT 1) SELECT * FROM a"],
)
def test_read(sql: str) -> None:
    found = parse(sql)
    assert isinstance(found, Parsed)
    assert found.text == sql
    assert found.dialect == "sqlite"


@given(
    st.text(max_size=200)
    | st.text("SELECT FROMWHERE()*,;'\"`[]=<>-+/ab1.\n", max_size=120).map("SELECT ".__add__)
)
def test_never_raises(text: str) -> None:
    assert isinstance(parse(text), Parsed | ParseFailure)


def test_other_dialects() -> None:
    assert isinstance(parse("SELECT a::text FROM t", "postgres"), Parsed)
    with pytest.raises(ValueError, match="nosuch"):
        parse("SELECT 1", "nosuch")
