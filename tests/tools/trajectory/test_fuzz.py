"""Generated queries, trajectories and edits: each comes back the same, or as a typed problem."""

import json
import sqlite3
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sql_text import WORDS, Grammar, damaged, loosely_spaced, texts

from critiql.tools.schema.model import Schema
from critiql.tools.sql.parse import ParseFailure
from critiql.tools.trajectory.forms.json_form import from_json, to_json
from critiql.tools.trajectory.forms.parse_text import parse_text
from critiql.tools.trajectory.forms.round_trip import RoundTrip, round_trip
from critiql.tools.trajectory.forms.text import to_text
from critiql.tools.trajectory.language.actions import Problem, Trajectory
from critiql.tools.trajectory.language.decompile import to_sql
from critiql.tools.trajectory.repair.edits import Add, AddFrame, Delete, Substitute, apply_edits, read_edits
from critiql.tools.trajectory.repair.mask import Masked, fill, mask

pytestmark = pytest.mark.fuzz

FIXTURES = Path(__file__).parents[2] / "fixtures" / "trajectory"
SHOP = Grammar(
    {
        "customers": ["id", "name", "country"],
        "orders": ["id", "customer_id", "total"],
        "items": ["order_id", "album", "price"],
    }
)
QUERIES = SHOP.queries()
STEPS = 300_000
"""Instructions of SQLite that one query may take."""


@pytest.fixture(scope="module")
def connection() -> Any:
    connection = sqlite3.connect(":memory:")
    connection.executescript((FIXTURES / "shop.sql").read_text(encoding="utf-8"))
    yield connection
    connection.close()


def rows(connection: sqlite3.Connection, sql: str) -> Counter[str] | str:
    """The bag of rows, or what SQLite says."""
    left = [STEPS]

    def tick() -> bool:
        left[0] -= 1000
        return left[0] < 0

    connection.set_progress_handler(tick, 1000)
    try:
        return Counter(map(repr, connection.execute(sql)))
    except sqlite3.Error as error:
        return str(error)


def comes_back(sql: str) -> RoundTrip | None:
    trip = round_trip(sql)
    if not isinstance(trip, RoundTrip):
        assert isinstance(trip, ParseFailure | Problem)
        assert trip.message
        return None
    assert trip.back == trip.sql
    assert trip.same_through_text, to_text(trip.trajectory)
    assert trip.same_through_json
    return trip


@given(sql=loosely_spaced(QUERIES))
def test_a_query_comes_back_with_its_rows(sql: str, connection: sqlite3.Connection) -> None:
    trip = comes_back(sql)
    assume(trip)
    assert trip is not None
    before = rows(connection, sql)
    assume(before != "interrupted")
    assert rows(connection, trip.back) == before


@given(texts(SHOP))
def test_any_text_gives_a_trajectory_or_a_problem(text: str) -> None:
    comes_back(text)


def printed(sql: str) -> str:
    trip = round_trip(sql)
    return to_text(trip.trajectory) if isinstance(trip, RoundTrip) else "res = scan(t).select(a)"


ACTIONS = [
    *WORDS,
    "scan(customers)",
    ".where(",
    ".select(name)",
    ".groupby(",
    "res =",
    "df1",
    "scalar(",
    "\n",
]
TEXTS = st.one_of(
    damaged(QUERIES.map(printed)),
    st.lists(st.sampled_from(ACTIONS), max_size=25).map(" ".join),
    st.text(max_size=60),
)


@given(TEXTS)
def test_any_printed_form_is_read_or_refused(text: str) -> None:
    found = parse_text(text)
    if isinstance(found, Problem):
        assert found.message
        return
    assert parse_text(to_text(found)) == found
    assert from_json(json.loads(json.dumps(to_json(found)))) == found
    assert to_sql(found)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.floats()
    | st.sampled_from([*WORDS, "res", "where", "scan"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["frames", "name", "steps", "action", "table", "condition", "columns", "alias", "keys"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON, QUERIES, st.integers(0, 10_000))
def test_any_json_form_is_read_or_refused(value: Any, sql: str, place: int) -> None:
    assert isinstance(from_json(value), Trajectory | Problem)
    trip = round_trip(sql)
    if isinstance(trip, RoundTrip):
        document = json.loads(json.dumps(to_json(trip.trajectory)))
        replaced(document, place, value)
        found = from_json(document)
        assert isinstance(found, Problem) or to_sql(found)


def replaced(document: Any, place: int, value: Any) -> None:
    """Put a value somewhere into a document."""
    while True:
        keys = list(document) if isinstance(document, dict) else list(range(len(document)))
        if not keys:
            return
        key = keys[place % len(keys)]
        place //= len(keys)
        if not isinstance(document[key], dict | list) or place % 4 == 0:
            document[key] = value
            return
        document = document[key]


LINES = st.integers(-1, 12)
ACTION = st.one_of(
    TEXTS, st.sampled_from(["where(id = 1)", "select(name)", ".limit(1)", "orderby(x)", "agg(MAX(id))"])
)
EDITS = st.one_of(
    st.builds(Add, LINES, ACTION),
    st.builds(AddFrame, TEXTS),
    st.builds(Delete, LINES),
    st.builds(Substitute, LINES, ACTION),
)


@given(sql=QUERIES, edits=st.lists(EDITS, max_size=3))
def test_any_edit_is_applied_or_refused(sql: str, edits: list[Any], schema: Schema) -> None:
    trip = round_trip(sql)
    assume(isinstance(trip, RoundTrip))
    assert isinstance(trip, RoundTrip)
    found = apply_edits(trip.trajectory, edits, schema)
    assert isinstance(found, Trajectory | Problem)
    if isinstance(found, Trajectory):
        assert parse_text(to_text(found)) == found


@given(
    st.one_of(
        st.text(max_size=60),
        JSON.map(lambda value: json.dumps(value)),
        JSON.map(lambda v: json.dumps({"edits": v})),
    )
)
def test_any_edit_script_is_read_or_refused(text: str) -> None:
    assert read_edits(text) is not None


@given(
    sql=QUERIES,
    answers=st.dictionaries(st.text(max_size=12), st.sampled_from(WORDS), max_size=3),
    data=st.data(),
)
def test_any_filling_of_masks_leaves_a_trajectory(
    sql: str, answers: dict[str, str], data: st.DataObject, schema: Schema
) -> None:
    trip = round_trip(sql)
    assume(isinstance(trip, RoundTrip))
    assert isinstance(trip, RoundTrip)
    masked = mask(trip.trajectory, schema)
    assert isinstance(masked, Masked)
    for name in masked.masks:
        answers[str(name)] = data.draw(st.sampled_from([*WORDS, "customers", "total", "album"]))
    filled = fill(masked, answers, schema)
    assert isinstance(filled.trajectory, Trajectory)
    assert to_sql(filled.trajectory)
