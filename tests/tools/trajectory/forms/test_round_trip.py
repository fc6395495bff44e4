"""SQL to trajectory and back: the same text and the same rows, directly, through text and through JSON."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from critiql.evals.studies.round_trip import SETS, queries
from critiql.tools.database.engine import Database
from critiql.tools.database.result import Failure
from critiql.tools.settings import settings as machine
from critiql.tools.sql.dialect import dialect_of
from critiql.tools.trajectory.forms.json_form import from_json, to_json
from critiql.tools.trajectory.forms.round_trip import RoundTrip, round_trip, same_results
from critiql.tools.trajectory.forms.text import to_text
from critiql.tools.trajectory.language.actions import Problem, Trajectory
from critiql.tools.trajectory.language.compile import compile_query
from critiql.tools.trajectory.language.decompile import to_sql

FIXTURES = Path(__file__).parents[3] / "fixtures" / "trajectory"


def read(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (FIXTURES / name).read_text(encoding="utf-8").splitlines()]


def taken(sql: str, dialect: str = "sqlite") -> RoundTrip:
    found = round_trip(sql, dialect)
    assert isinstance(found, RoundTrip), found
    return found


@pytest.mark.parametrize("case", read("round_trip.jsonl"), ids=lambda case: case["name"])
def test_comes_back_the_same(case: dict[str, Any]) -> None:
    trip = taken(case["sql"], case["dialect"])
    assert trip.back == trip.sql
    assert trip.same_through_text, to_text(trip.trajectory)
    assert trip.same_through_json, to_json(trip.trajectory)


@pytest.mark.parametrize(
    "case",
    [case for case in read("round_trip.jsonl") if case["dialect"] == "sqlite"],
    ids=lambda case: case["name"],
)
def test_gives_the_same_rows(case: dict[str, Any], shop: Database) -> None:
    trip = taken(case["sql"])
    same = same_results(shop, case["sql"], trip.back, trip.ordered)
    if isinstance(same, Failure):
        assert case["name"] in ("tables called like frames", "full, right and natural joins", "USING")
    else:
        assert same


@pytest.mark.parametrize(
    ("sql", "kept"),
    [
        ("SELECT 1 WHERE (a OR b) AND c", "(a OR b) AND c"),
        ("SELECT a FROM t UNION ALL SELECT a FROM t", "UNION ALL"),
        ("SELECT a FROM t, u", "FROM t, u"),
        ("SELECT SUBSTR(a, 1) FROM t", "SUBSTR("),
        ('SELECT a FROM t WHERE a = "x"', '"x"'),
        ("SELECT a FROM t WHERE a = `x`", "`x`"),
    ],
)
def test_traps(sql: str, kept: str) -> None:
    """What a parser or a careless compiler rewrites on the way, seen in the text that comes back."""
    assert kept in taken(sql).back


@pytest.mark.parametrize("case", read("no_action.jsonl"), ids=lambda case: case["problem"])
def test_clause_without_action_is_named(case: dict[str, Any]) -> None:
    tree = dialect_of(case["dialect"]).parse(case["sql"])[0]
    assert tree is not None
    found = compile_query(tree, case["dialect"])
    assert isinstance(found, Problem)
    assert case["problem"] in found.message


def test_compiling_leaves_the_tree_as_it_is() -> None:
    tree = dialect_of("sqlite").parse("WITH c AS (SELECT 1) SELECT a FROM t WHERE a IN (SELECT b FROM c)")[0]
    assert tree is not None
    before = tree.sql("sqlite")
    compile_query(tree)
    assert tree.sql("sqlite") == before


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], "an object"),
        ({"frames": [{"steps": []}]}, "a frame is an object"),
        ({"frames": [{"name": "res", "steps": [{"condition": "a"}]}]}, 'with "action"'),
        ({"frames": [{"name": "res", "steps": [{"action": "where", "having": "a"}]}]}, "no argument having"),
        ({"frames": []}, "at least one frame"),
        ({"frames": [], "dialect": "klingon"}, "no dialect 'klingon'"),
        ({"frames": [], "dialect": None}, "no dialect None"),
        ({"frames": [{"name": "res", "steps": [{"action": "orderby", "keys": [1]}]}]}, "has no select"),
        ({"frames": [{"name": "res", "steps": [{"action": "join", "source": "t", "using": [{}]}]}]}, "using"),
    ],
)
def test_json_errors_say_what_is_missing(value: object, message: str) -> None:
    found = from_json(value)
    assert isinstance(found, Problem)
    assert message in found.message


CONDITION = st.recursive(
    st.sampled_from(["a = 1", "b LIKE 'x'", "c IS NULL", "NOT d", "e IN (SELECT f FROM u)"]),
    lambda inner: st.tuples(inner, st.sampled_from([" AND ", " OR "]), inner, st.booleans()).map(
        lambda parts: f"({''.join(parts[:3])})" if parts[3] else "".join(parts[:3])
    ),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(CONDITION, CONDITION)
def test_any_condition_keeps_its_parentheses(where: str, having: str) -> None:
    trip = taken(f"SELECT g FROM t WHERE {where} GROUP BY g HAVING {having}")
    assert trip.same_text
    assert trip.same_through_text
    assert trip.same_through_json


@pytest.mark.data
@pytest.mark.parametrize("name", SETS)
def test_benchmark_queries_come_back_the_same(name: str) -> None:
    root = machine().data
    if root is None:
        pytest.skip("CRITIQL_DATA is not set; it names the folder with the benchmark data")
    if not all((root / file).is_file() for file, _ in SETS[name]):
        pytest.skip(f"{name} is not below CRITIQL_DATA")
    different = [
        index
        for index, sql, _ in list(queries(name, root))[::20]
        for trip in [taken(sql)]
        if not (trip.same_text and trip.same_through_text and trip.same_through_json)
    ]
    assert different == []


def test_trajectory_is_a_value() -> None:
    first, second = taken("SELECT a FROM t WHERE a > 1"), taken("select a from t where a > 1")
    assert first.trajectory == second.trajectory
    assert isinstance(first.trajectory, Trajectory)
    assert to_sql(first.trajectory) == "SELECT a FROM t WHERE a > 1"
