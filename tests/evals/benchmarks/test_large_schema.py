"""The generated warehouse and what is measured of it."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from critiql.agent.context import Context
from critiql.evals.benchmarks.large_schema import answer, measure
from critiql.evals.benchmarks.warehouse import CORE_COLUMNS, QUESTIONS, make_duckdb, statements
from critiql.evals.studies.merged_schemas import needs
from critiql.tools.database.open import open_database
from critiql.tools.database.result import Rows

pytestmark = pytest.mark.whole


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A warehouse of 400 columns."""
    file: Path = tmp_path_factory.mktemp("warehouse") / "w.duckdb"
    make_duckdb(file, "\n".join(statements(400)))
    return f"duckdb:{file}"


def test_the_questions_are_answered_and_say_what_they_need(warehouse: str) -> None:
    with closing(open_database(warehouse)) as database:
        schema = database.schema()
        assert sum(len(table.columns) for table in schema.tables) == 400
        for known in QUESTIONS:
            result = database.run(known.sql)
            assert isinstance(result, Rows)
            assert result.rows
            found = needs(known.sql, schema)
            assert found is not None
            assert {f"{table}.{column}" for table, column in found if column} <= set(known.needs)


def test_too_small_a_warehouse_is_refused() -> None:
    with pytest.raises(ValueError, match=str(CORE_COLUMNS)):
        list(statements(3))


def test_what_is_measured(warehouse: str, scripted: Callable[..., Any]) -> None:
    scripted()
    found = measure(warehouse, Context(model="scripted", schema_tokens=800, pruned_tokens=400))
    assert (found["columns"], found["fits"]) == (400, False)
    assert found["kept"] == found["needed"] == sum(len(known.needs) for known in QUESTIONS)
    assert all(found[name] >= 0 for name in ("open_ms", "read_schema_ms", "index_ms", "link_ms", "prune_ms"))


def test_an_answer_is_held_against_the_known_query(warehouse: str, scripted: Callable[..., Any]) -> None:
    scripted([QUESTIONS[0].sql])
    found = answer(warehouse, QUESTIONS[0], Context(model="scripted", llm_critic="off"))
    assert found["right"] is True
