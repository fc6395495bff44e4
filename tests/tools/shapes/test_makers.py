"""What is made of a schema: it runs, it says the same on every engine, and its joins repeat no row."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest
from targets import sample_duckdb, sample_server

from critiql.tools.database.engine import Database
from critiql.tools.database.open import open_database
from critiql.tools.database.result import Limits, Rows, Value
from critiql.tools.database.sample.build import sample_database
from critiql.tools.shapes.made import Made
from critiql.tools.shapes.makers import made_of

LIMITS = Limits(seconds=10, rows=100_000)
SHAPES = {
    "above_average",
    "average_of_sums",
    "best",
    "by_group",
    "by_thing",
    "compare_periods",
    "first_last",
    "gap",
    "never",
    "not_since",
    "running_total",
    "same_name",
    "several_conditions",
    "share",
    "top_per_group",
    "total",
}


@pytest.fixture(scope="module")
def sample() -> Iterator[Database]:
    with closing(open_database(sample_database())) as database:
        yield database


@pytest.fixture(scope="module")
def made(sample: Database) -> list[Made]:
    return list(made_of(sample.schema()))


def told(value: Value) -> object:
    """A cell as engines tell it alike: numbers rounded, and text for the year of a date."""
    try:
        return round(float(value), 2) if isinstance(value, int | float | Decimal | str) else value
    except ValueError:
        return value


def rows_of(database: Database, sql: str) -> Counter[tuple[object, ...]]:
    result = database.run(sql, LIMITS)
    assert isinstance(result, Rows), f"{sql}: {result}"
    return Counter(tuple(map(told, row)) for row in result.rows)


def test_every_shape_is_made_and_every_query_runs(sample: Database, made: list[Made]) -> None:
    assert {one.shape for one in made} == SHAPES
    assert len({one.question for one in made}) > 200
    for one in made:
        rows_of(sample, one.sql)


def test_the_same_seed_makes_the_same_and_another_seed_other_draws(
    sample: Database, made: list[Made]
) -> None:
    assert list(made_of(sample.schema())) == made
    assert list(made_of(sample.schema(), 1)) != made


def on_duckdb(folder: Path) -> str:
    return f"duckdb:///{sample_duckdb(folder)}"


def on_postgres(_: Path) -> str:
    return sample_server("postgres").url("music_shop")


def on_mariadb(_: Path) -> str:
    return sample_server("mariadb").url("music_shop")


@pytest.mark.parametrize(
    "place",
    [
        pytest.param(on_duckdb, marks=pytest.mark.fuzz),
        pytest.param(on_postgres, marks=pytest.mark.server),
        pytest.param(on_mariadb, marks=[pytest.mark.server, pytest.mark.slow]),
    ],
)
def test_another_engine_gives_the_same_rows(
    place: Callable[[Path], str], tmp_path: Path, sample: Database, made: list[Made]
) -> None:
    """Days are dates there. Values are drawn from what keys and sample rows come in, so a few may differ;
    where several are equally good, a LIMIT may choose another one."""
    with closing(open_database(place(tmp_path))) as other:
        own = {one.question: one.sql for one in made}
        theirs = {one.question: one.sql for one in made_of(other.schema())}
        assert len(theirs.keys() & own.keys()) > 200
        for question, sql in theirs.items():
            found = rows_of(other, sql)
            if "LIMIT" not in sql and question in own:
                assert found == rows_of(sample, own[question]), question
