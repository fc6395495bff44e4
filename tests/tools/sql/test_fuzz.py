"""Generated and damaged SQL: read or refused, resolved as SQLite does, mended so that SQLite takes it."""

import re
import sqlite3

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sql_text import Grammar, loosely_spaced, texts

from critiql.tools.schema.model import Schema
from critiql.tools.sql.align import align
from critiql.tools.sql.canonical import canonical, fingerprint
from critiql.tools.sql.extract import extract_sql
from critiql.tools.sql.name_repair import closest_names, repair_names
from critiql.tools.sql.parse import Parsed, ParseFailure, parse
from critiql.tools.sql.resolve import resolve

pytestmark = pytest.mark.fuzz

LIBRARY = Grammar(
    {
        "book": ["book_id", "title", "author_id", '"shelf mark"'],
        "author": ["author_id", "name"],
        '"order"': ["order_id", '"group"', "book_id"],
    },
    stray=["titel", "nam", "autor_id", "rowid", '"year"', "member", "shelf_mark"],
)
QUERIES = LIBRARY.queries()
UNKNOWN = re.compile(r"no such (column|table)|ambiguous column name")


def complaint(library: sqlite3.Connection, sql: str) -> str:
    """What SQLite says of a query without running it; nothing where it takes it."""
    try:
        library.execute(f"EXPLAIN {sql}").close()
    except sqlite3.Error as error:
        return str(error)
    return ""


def parsed(sql: str) -> Parsed:
    found = parse(sql)
    assume(isinstance(found, Parsed))
    assert isinstance(found, Parsed)
    return found


@given(texts(LIBRARY))
def test_any_text_is_read_or_refused(text: str) -> None:
    found = parse(text)
    if isinstance(found, ParseFailure):
        assert found.message
        return
    printed = canonical(found.tree)
    again = parse(printed)
    assert isinstance(again, Parsed), printed
    assert canonical(again.tree) == printed
    assert fingerprint(text) == printed


@given(loosely_spaced(QUERIES) | texts(LIBRARY))
def test_every_node_has_its_place_within_its_parents(sql: str) -> None:
    query = parsed(sql)
    spans = align(query)
    for node in query.tree.walk():
        start, end = spans.span(node)
        assert 0 <= start < end <= len(sql)
        if node.parent is not None:
            first, last = spans.span(node.parent)
            assert first <= start
            assert end <= last


@given(sql=QUERIES)
def test_names_resolve_where_sqlite_finds_them(sql: str, schema: Schema, library: sqlite3.Connection) -> None:
    query = parsed(sql)
    said = complaint(library, sql)
    found = resolve(query.tree, schema)
    if not said:  # SQLite does not look into a WITH that nothing reads
        assert found.complete or sql.startswith("WITH") or "(WITH" in sql, [
            one.name for one in found.unresolved
        ]
    elif UNKNOWN.search(said):
        assert not found.complete, said


@given(sql=QUERIES)
def test_a_repair_is_one_that_sqlite_takes(sql: str, schema: Schema, library: sqlite3.Connection) -> None:
    query = parsed(sql)
    before = query.tree.sql()
    resolution = resolve(query.tree, schema)
    assert all(closest_names(one, schema) for one in resolution.unresolved)
    for repair in repair_names(query, schema, resolution):
        assert not UNKNOWN.search(complaint(library, repair.sql)), repair.sql
    assert query.tree.sql() == before


@given(sql=texts(LIBRARY))
def test_names_of_any_text_resolve_or_do_not(sql: str, schema: Schema) -> None:
    query = parsed(sql)
    for repair in repair_names(query, schema, resolve(query.tree, schema)):
        assert isinstance(parse(repair.sql), Parsed), repair.sql


ANSWERS = st.sampled_from(
    [
        *("{}", "{};", "```sql\n{}\n```", "```\n{};\n```\nThis query counts.", "Here it is: {}"),
        *("~~~SQL\n{}", '{{"sql": {json}}}', "<think>SELECT 1?</think>\n{}", "  \n{}  ;\n;", "`{}`"),
    ]
)


@given(QUERIES, ANSWERS)
def test_a_query_is_found_in_an_answer(sql: str, answer: str) -> None:
    import json

    assume(isinstance(parse(sql), Parsed))
    assume("`" not in sql or not answer.startswith(("`{", "```")))
    found = extract_sql(answer.format(sql, json=json.dumps(sql)))
    assert fingerprint(found) == fingerprint(sql)


@given(
    st.lists(
        texts(LIBRARY) | st.sampled_from(["```", "```sql\n", "<think>", "</think>", "\n\n", '{"sql": "']),
        max_size=5,
    )
)
def test_an_answer_is_searched_whatever_it_holds(pieces: list[str]) -> None:
    answer = "".join(pieces)
    found = extract_sql(answer)
    assert isinstance(found, str)
    assert len(found) <= max(len(answer), 1)
