"""Which step of a query left no row, on a small database."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from critiql.agent.context import Context
from critiql.graphs.catalogue import graph

CASES = [
    json.loads(line)
    for line in (Path(__file__).parents[2] / "fixtures/agent/empty_result.jsonl").read_text().splitlines()
]


def answered(sql: str, shop: Path, scripted: Callable[..., Any], **settings: Any) -> dict[str, Any]:
    scripted([sql], [0.9])
    given: Any = {"question": "Which ones are there?", "database": str(shop)}
    result: dict[str, Any] = graph("single_shot").invoke(given, context=Context(model="scripted", **settings))
    return result


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_case(case: dict[str, Any], scripted: Callable[..., Any], shop: Path) -> None:
    [note] = answered(case["sql"], shop, scripted)["assumptions"]
    assert [part for part in case["says"] if part not in note] == []
    assert "silent" not in case or case["silent"] not in note


def test_rows_need_no_explanation(scripted: Callable[..., Any], shop: Path) -> None:
    assert answered("SELECT name FROM maker", shop, scripted)["assumptions"] == []


def test_nothing_is_run_to_explain_where_execution_is_off(scripted: Callable[..., Any], shop: Path) -> None:
    final = answered("SELECT name FROM maker WHERE id = 9", shop, scripted, execution=False)
    assert final["assumptions"] == []


def test_the_message_starts_with_the_sentence(scripted: Callable[..., Any], shop: Path) -> None:
    final = answered("SELECT COUNT(*) AS n FROM maker", shop, scripted)
    assert final["in_words"] == "The n is 2."
    assert final["messages"][-1].text.startswith("The n is 2.\n")
