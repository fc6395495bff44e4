"""The chosen query runs once a question."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from critiql.agent.context import Context
from critiql.agent.kept_results import KEPT, keep, take
from critiql.graphs.api import ask
from critiql.tools.database.result import Failure
from critiql.tools.database.sqlite.open import SqliteDatabase


def test_a_question_runs_its_query_once(
    scripted: Callable[..., Any], shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[str] = []
    run = SqliteDatabase.run

    def counted(self: SqliteDatabase, sql: str, *rest: Any) -> Any:
        ran.append(sql)
        return run(self, sql, *rest)

    monkeypatch.setattr(SqliteDatabase, "run", counted)
    scripted(["SELECT title FROM item"], [0.9])
    answer = ask("Which items are there?", shop, context=Context(model="scripted", answer_cache=False))
    assert len(answer.rows) == 3
    assert ran.count("SELECT title FROM item") == 1


def test_results_are_taken_once_and_the_oldest_go() -> None:
    result = Failure("other", "it failed", 0.0)
    for number in range(KEPT + 1):
        keep({"database": "d", "started": float(number)}, "SELECT 1", result)
    assert take({"database": "d", "started": 0.0}, "SELECT 1") is None
    assert take({"database": "d", "started": 5.0}, "SELECT 2") is None
    assert take({"database": "d", "started": 5.0}, "SELECT 1") is None, "the run was closed"
    assert take({"database": "d", "started": 7.0}, "SELECT 1") is result
