"""The everyday questions: every reference runs on every copy, gives rows, and none turns on a tie."""

import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

from critiql.evals.data.datasets import load
from critiql.evals.data.everyday import questions
from critiql.evals.data.everyday.build import SEEDS, folder
from critiql.evals.data.item import Item
from critiql.evals.run.scoring import SUITE, scorers_for, suite_database
from critiql.tools.settings import settings

pytestmark = pytest.mark.whole

HALVES = ("everyday", "everyday-test")


@pytest.fixture(scope="module")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All databases with their copies, built once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("everyday")))
        settings.cache_clear()
        root = folder()
    settings.cache_clear()
    return root


@pytest.fixture(autouse=True)
def built(databases: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questions, "folder", lambda: databases)


@pytest.fixture
def items(built: None) -> list[Item]:
    return [item for half in HALVES for item in load(half).items]


def test_the_halves_share_no_database() -> None:
    first, second = ({item.db_id for item in load(half).items} for half in HALVES)
    assert len(first) == len(second) == 2
    assert not first & second


def test_there_are_eighty_questions_each_and_no_two_alike(items: list[Item]) -> None:
    assert [len(load(half).items) for half in HALVES] == [80, 80]
    assert len({item.question for item in items}) == 160
    assert len({item.difficulty for item in items}) >= 12


@pytest.mark.parametrize("name", SEEDS)
def test_each_reference_gives_rows_and_turns_on_no_tie(name: str, items: list[Item], databases: Path) -> None:
    copies = sorted((databases / SUITE / name).glob("*.sqlite"))
    assert len(copies) == len(SEEDS[name])
    found: list[str] = []
    for path in copies:
        with closing(sqlite3.connect(path)) as connection:
            found += [
                item.question for item in items if item.db_id == name and _trouble(connection, item.gold)
            ]
    assert not found


def test_the_reference_is_right_on_all_copies_and_another_query_is_not(items: list[Item]) -> None:
    scorers = scorers_for("everyday", suite=True)
    assert scorers.suite is not None
    for item in (items[0], items[60], items[100], items[150]):
        assert len(list(suite_database(item).parent.glob("*.sqlite"))) == len(SEEDS[item.db_id])
        assert scorers.suite(item, [item.gold, "SELECT 1"]) == [True, False]


def test_numbers_compare_to_two_decimals(items: list[Item]) -> None:
    share = next(item for item in items if item.question.startswith("What percentage of all orders"))
    rounded, coarse = (
        share.gold.replace("100.0 *", "ROUND(100.0 *").replace("COUNT(*)", f"COUNT(*), {digits})", 1)
        for digits in (2, 0)
    )
    assert scorers_for("everyday").execution(share, [rounded, coarse]) == [True, False]


def _trouble(connection: sqlite3.Connection, sql: str) -> bool:
    rows = connection.execute(sql).fetchall()
    if all(cell in (None, 0) for row in rows for cell in row):
        return True
    single = sql.replace("RANK()", "ROW_NUMBER()")
    return Counter(rows) != Counter(connection.execute(single).fetchall()) or _order_ties(connection, sql)


def _order_ties(connection: sqlite3.Connection, sql: str) -> bool:
    """Whether two rows that the query sorts, or the last one shown and the next one, share their sort key."""
    query = sqlglot.parse_one(sql, dialect="sqlite")
    if not isinstance(query, exp.Select) or not query.args.get("order"):
        return False
    keys = [term.this for term in query.args["order"].expressions]
    limit = query.args.get("limit")
    wider = query.select(*(key.copy() for key in keys))
    if limit:
        wider = wider.limit(int(limit.expression.name) + 1)
    found = [row[-len(keys) :] for row in connection.execute(wider.sql(dialect="sqlite")).fetchall()]
    return len(set(found)) < len(found)
