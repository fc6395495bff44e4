"""Every operator injects the error its type names, and nothing else."""

import json
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from critiql.tools.database.engine import Database
from critiql.tools.database.open import open_database
from critiql.tools.errors.label.difference import difference
from critiql.tools.errors.lookup import DatabaseValues
from critiql.tools.errors.perturb.perturb import Perturbation, compound, identity, perturb, verify
from critiql.tools.errors.query import Query
from critiql.tools.errors.rules import read
from critiql.tools.errors.types.catalogue import ERROR_TYPES
from critiql.tools.settings import settings
from critiql.tools.sql.canonical import canonical

FIXTURES = Path(__file__).parents[3] / "fixtures" / "errors"
QUERIES = [
    line for line in (FIXTURES / "queries.sql").read_text("utf-8").splitlines() if not line.startswith("--")
]
KNOWN_OPERATORS = {operator.__name__ for error in ERROR_TYPES for operator in error.operators}
EXECUTING_TYPES = {error.key for error in ERROR_TYPES}
LABEL_FLOOR = 0.998
"""Share of perturbations of Spider train whose difference from the gold is their type and no other."""


def spoilt(query: Query, seed: int) -> list[Perturbation]:
    return perturb(query.parsed, query.schema, query.resolution, Random(seed), query.values)


@examples(
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
    phases=[Phase.generate],
    max_examples=25,
)
@given(sql=st.sampled_from(QUERIES), seed=st.integers(0, 10_000))
def test_the_difference_is_of_the_label_alone(sql: str, seed: int, reading: Callable[..., Query]) -> None:
    query = reading(sql)
    for made in spoilt(query, seed):
        assert difference(query, reading(made.sql)) == set(made.types), made


@pytest.mark.parametrize("sql", QUERIES)
def test_every_query_can_be_spoilt_in_canonical_text(sql: str, reading: Callable[..., Query]) -> None:
    query = reading(sql)
    made = spoilt(query, 1)
    assert len({one.types for one in made}) >= 3
    for one in made:
        again = reading(one.sql)
        assert canonical(again.tree) == one.sql != one.original == canonical(query.tree)


def test_every_operator_is_exercised_and_every_type_verified(
    library: Database, reading: Callable[..., Query]
) -> None:
    made = [one for sql in QUERIES for seed in range(2) for one in spoilt(reading(sql), seed)]
    assert {operator for one in made for operator in one.operators} == KNOWN_OPERATORS
    texts = {(one.original, one.sql): one for one in made}
    kept = Counter(one.types[0] for one in texts.values() if verify(library, one.original, one.sql))
    assert set(kept) == EXECUTING_TYPES
    assert sum(kept.values()) > len(texts) / 4


def test_the_same_seed_gives_the_same_list(reading: Callable[..., Query]) -> None:
    first, second = ([spoilt(reading(sql), 5) for sql in QUERIES[::3]] for _ in range(2))
    assert first == second
    assert first != [spoilt(reading(sql), 6) for sql in QUERIES[::3]]


def test_the_query_itself_is_not_touched(reading: Callable[..., Query]) -> None:
    query = reading(QUERIES[7])
    before = canonical(query.tree)
    spoilt(query, 3)
    assert canonical(query.tree) == before


def test_identity_is_the_query_without_an_error(library: Database, reading: Callable[..., Query]) -> None:
    made = identity(reading("select  title from book").parsed)
    assert (made.sql, made.types) == ("SELECT title FROM book", ())
    assert not verify(library, made.original, made.sql)


def test_a_compound_shows_both_errors(library: Database, reading: Callable[..., Query]) -> None:
    made = 0
    for sql in QUERIES:
        query = reading(sql)
        for one in spoilt(query, 2)[::4]:
            both = compound(one, query.schema, Random(4), query.values)
            if both is not None:
                made += 1
                assert len(set(both.types)) == 2
                assert both.types[0] == one.types[0]
                assert both.nodes[0] in both.sql
    assert made > len(QUERIES) // 2


@pytest.mark.parametrize(
    ("right", "wrong", "differs"),
    [
        ("SELECT title FROM book", "SELECT genre FROM book", True),
        ("SELECT title FROM book", "SELECT title FROM book ORDER BY id DESC", False),
        ("SELECT title FROM book ORDER BY id", "SELECT title FROM book ORDER BY id DESC", True),
        ("SELECT title FROM book", "SELECT nothing FROM book", False),
        ("SELECT title FROM book WHERE id = 0", "SELECT title, genre FROM book WHERE id = 0", False),
    ],
)
def test_verified_means_that_both_run_and_answer_differently(
    right: str, wrong: str, differs: bool, library: Database
) -> None:
    assert verify(library, right, wrong) is differs


@cache
def _train() -> list[tuple[str, str]]:
    data = settings().data
    assert data is not None
    rows = json.loads((data / "spider/train_spider.json").read_text("utf-8"))
    return [(row["db_id"], row["query"]) for row in rows]


@pytest.mark.data
@pytest.mark.slow
def test_labels_hold_on_spider_train() -> None:
    if settings().data is None:
        pytest.skip("CRITIQL_DATA is not set")
    agree = total = 0
    opened: dict[str, tuple[Database, DatabaseValues]] = {}
    for number, (db_id, sql) in enumerate(Random(0).sample(_train(), 400)):
        file = settings().data / "spider/database" / db_id / f"{db_id}.sqlite"  # type: ignore[operator]
        if not file.is_file():
            continue
        if db_id not in opened:
            database = open_database(file)
            opened[db_id] = database, DatabaseValues(database)
        database, values = opened[db_id]
        query = read(sql, database.schema(), values=values)
        assert isinstance(query, Query)
        for made in perturb(query.parsed, query.schema, query.resolution, Random(number), values):
            wrong = read(made.sql, query.schema)
            assert isinstance(wrong, Query)
            total += 1
            agree += difference(query, wrong) == set(made.types)
    for database, _ in opened.values():
        database.close()
    assert total > 2000
    assert agree / total >= LABEL_FLOOR
