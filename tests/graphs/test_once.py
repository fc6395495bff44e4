"""One question opens its database once and runs its chosen query once, counted where both must pass."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from critiql.agent.context import Context
from critiql.graphs.api import ask
from critiql.tools.database import open as opening
from critiql.tools.database.sandbox.pool import WorkerPool

CASES = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "fixtures/graphs/once.jsonl").read_text().splitlines()
]


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each statement reached the sandbox, and how often a database was opened (`open`)."""
    counts: Counter[str] = Counter()
    send, open_database = WorkerPool.ask, opening.open_database

    def counted(pool: WorkerPool, request: dict[str, Any], *limits: Any) -> dict[str, Any]:
        counts[request.get("sql", request["op"])] += 1
        return send(pool, request, *limits)

    def opened(*named: Any) -> Any:
        counts["open"] += 1
        return open_database(*named)

    opening.close_databases()
    monkeypatch.setattr(WorkerPool, "ask", counted)
    monkeypatch.setattr(opening, "open_database", opened)
    return counts


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_opened_once_and_run_once(
    case: dict[str, Any], seen: Counter[str], scripted: Callable[..., Any], shop: Path
) -> None:
    scripted(case["texts"], case.get("truths", [0.9]))
    context = Context(model="scripted", answer_cache=False, **case.get("context", {}))
    answer = ask("Which items are there?", shop, context=context)
    assert answer.sql == case["sql"]
    assert answer.status == case["status"]
    assert seen["open"] == 1
    assert seen[answer.sql] == 1, seen
    assert seen["introspect"] == 1, "the schema is read once, too"
