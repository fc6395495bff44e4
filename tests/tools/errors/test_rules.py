"""Every rule speaks where it should, is silent where it should, and nothing crashes the detector."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from critiql.tools.database.engine import Database
from critiql.tools.database.result import Failure
from critiql.tools.errors.guide.guidance import guidance
from critiql.tools.errors.query import Query
from critiql.tools.errors.rules import RULES, detect, read
from critiql.tools.errors.types.catalogue import ERROR_TYPES
from critiql.tools.errors.types.error_type import Finding
from critiql.tools.schema.model import Schema, Table
from critiql.tools.sql.canonical import canonical

FIXTURES = Path(__file__).parents[2] / "fixtures" / "errors"
CASES = [json.loads(line) for line in (FIXTURES / "rules.jsonl").read_text("utf-8").splitlines()]
MENDED = [json.loads(line) for line in (FIXTURES / "mended.jsonl").read_text("utf-8").splitlines()]
UNREADABLE = [json.loads(line) for line in (FIXTURES / "unreadable.jsonl").read_text("utf-8").splitlines()]
QUERIES = [
    line for line in (FIXTURES / "queries.sql").read_text("utf-8").splitlines() if not line.startswith("--")
]
BY_NAME = {rule.__name__: rule for rule in RULES}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['rule']}: {case['sql']}")
def test_a_rule_speaks_exactly_where_it_should(case: dict[str, Any], reading: Callable[..., Query]) -> None:
    query = reading(case["sql"], case.get("question", ""))
    if case.get("failure"):
        query = replace(query, execution=Failure(case["failure"], "no such function: MEDIAN", 0.0, "MEDIAN"))
    found = detect(query, (BY_NAME[case["rule"]],))
    assert bool(found) == case["fires"], found
    if found:
        finding = found[0]
        assert finding.type == case["type"]
        assert finding.source == "rule"
        assert case.get("says", "") in finding.suggestion
        if "under" in case:
            assert finding.span is not None
            assert case["sql"][finding.span.start : finding.span.end] == case["under"]


@pytest.mark.parametrize("case", MENDED, ids=[case["sql"] for case in MENDED])
def test_what_code_can_mend_is_mended_and_then_left_alone(
    case: dict[str, Any], reading: Callable[..., Query]
) -> None:
    question = case.get("question", "")
    query = reading(case["sql"], question)
    if case.get("failure"):
        query = replace(query, execution=Failure(case["failure"], "no such column: n", 0.0, "n"))
    found = detect(query)
    mended = {canonical(finding.mended) for finding in found if finding.mended is not None}
    assert mended == ({case["mended"]} if case["mended"] else set())
    assert all(detect(reading(sql, question)) == [] for sql in mended)


def test_a_value_in_another_case_is_written_as_the_column_holds_it(reading: Callable[..., Query]) -> None:
    query = reading("SELECT name FROM member WHERE status = 'Active'", "Which members are Active?")
    (finding,) = detect(query)
    assert finding.mended is not None
    assert canonical(finding.mended) == "SELECT name FROM member WHERE status = 'active'"


def test_every_rule_has_a_case_for_speaking_and_one_for_silence() -> None:
    for fires in (True, False):
        assert {case["rule"] for case in CASES if case["fires"] is fires} == set(BY_NAME)


@pytest.mark.parametrize("sql", QUERIES)
def test_right_queries_are_left_alone(sql: str, reading: Callable[..., Query]) -> None:
    assert detect(reading(sql)) == []


@pytest.mark.parametrize("case", UNREADABLE, ids=lambda case: case["sql"])
def test_what_cannot_be_read_is_one_typed_finding(case: dict[str, str], library: Database) -> None:
    query = read(case["sql"], library.schema())
    (finding,) = detect(query)
    assert (finding.type, finding.source) == ("unreadable", "parse")
    assert finding.slots["kind"] == case["kind"]
    assert finding.suggestion
    assert finding.explanation in guidance([finding], query)


def test_a_megabyte_of_sql_is_refused_at_once(library: Database) -> None:
    (finding,) = detect(read("SELECT " + "1+" * 500_000 + "1", library.schema()))
    assert finding.slots["kind"] == "too_large"


def test_rules_that_need_values_are_silent_without_them(reading: Callable[..., Query]) -> None:
    query = reading("SELECT name FROM member WHERE status = 'Active'", looked_up=False)
    assert detect(query) == []
    assert [finding.type for finding in detect(reading(query.parsed.text))] == ["value_error"]


def test_a_caller_may_run_rules_of_its_own(reading: Callable[..., Query]) -> None:
    def no_stars(query: Query) -> list[Finding]:
        return [Finding("attribute_redundancy", "rule", "a star", node=query.tree.expressions[0])]

    (finding,) = detect(reading("SELECT * FROM book"), (no_stars,))
    assert (finding.rule, finding.span) == ("no_stars", (7, 8))


def test_a_finding_is_plain_json(reading: Callable[..., Query]) -> None:
    (finding,) = detect(reading("SELECT titel FROM book"))
    document = json.loads(json.dumps(finding.as_dict()))
    assert document["span"] == [7, 12]
    assert document["node"] == "titel"
    assert document["probability"] == 1.0


@given(st.sampled_from(QUERIES), st.integers(0, 200), st.sampled_from(["", ")", "'", " FROM", " WHERE x ="]))
def test_a_query_cut_anywhere_gives_findings_and_no_crash(sql: str, length: int, tail: str) -> None:
    schema = Schema((Table("book", ()),))
    query = read(sql[:length] + tail, schema, question="How many 'x' have more than 30 distinct y?")
    assert isinstance(guidance(detect(query), query), str)


def test_every_type_but_none_has_rules_and_operators() -> None:
    assert [error.key for error in ERROR_TYPES if not error.rules or not error.operators] == []
