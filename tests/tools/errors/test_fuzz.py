"""The rules on generated and damaged queries: findings with places, never a crash."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sql_text import LITERALS, Grammar, loosely_spaced, texts

from critiql.tools.database.engine import Database
from critiql.tools.errors.guide.guidance import guidance
from critiql.tools.errors.label.difference import difference
from critiql.tools.errors.lookup import DatabaseValues
from critiql.tools.errors.query import Query
from critiql.tools.errors.rules import detect, read
from critiql.tools.errors.types.error_type import Finding

pytestmark = pytest.mark.fuzz

LIBRARY = Grammar(
    {
        "book": ["title", "author_id", "year", "pages"],
        "author": ["author_id", "name"],
        "member": ["name", "status", "joined"],
        "loan": ["book_id", "member_id"],
    },
    stray=["titel", "nam", "statu", "yeer", "members"],
)
WORDS = [
    "How many",
    "Which",
    "books",
    "names",
    "most",
    "least",
    "different",
    "not",
    "more than 30",
    "active",
    "'Salt'",
]
QUESTIONS = st.lists(st.sampled_from(WORDS) | st.text(max_size=8), max_size=8).map(" ".join)


def checked(sql: str, question: str, library: Database, values: Any) -> Query | Finding:
    query = read(sql, library.schema(), question=question, values=values)
    findings = detect(query)
    for finding in findings:
        assert finding.explanation
        json.dumps(finding.as_dict())
        if finding.span is not None:
            start, end = finding.span
            assert 0 <= start < end <= len(sql)
    assert isinstance(guidance(findings, query), str)
    return query


@given(sql=loosely_spaced(LIBRARY.queries()), question=QUESTIONS)
def test_generated_queries(sql: str, question: str, library: Database, values: DatabaseValues) -> None:
    checked(sql, question, library, values)


@given(sql=texts(LIBRARY), question=QUESTIONS)
def test_any_text(sql: str, question: str, library: Database) -> None:
    checked(sql, question, library, None)


@given(
    value=LITERALS | st.text(max_size=10).map(lambda text: "'" + text.replace("'", "''") + "'"),
    question=QUESTIONS,
)
def test_any_value(value: str, question: str, library: Database, values: DatabaseValues) -> None:
    checked(f"SELECT name FROM member WHERE status = {value} OR joined > {value}", question, library, values)


@given(one=LIBRARY.queries(), other=LIBRARY.queries())
def test_what_differs_is_said_and_nothing_differs_from_itself(
    one: str, other: str, library: Database
) -> None:
    queries = [read(sql, library.schema()) for sql in (one, other)]
    left, right = queries
    if isinstance(left, Query):
        assert difference(left, left) == set()
        if isinstance(right, Query):
            assert isinstance(difference(left, right), set)
