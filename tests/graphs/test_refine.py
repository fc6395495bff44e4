"""A given query: kept or replaced, and why; with a scripted model on a real database."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from critiql.agent.context import Context
from critiql.agent.roles.ground import QuestionError
from critiql.graphs.refine import NoQueryError, refine
from critiql.graphs.refine_file import QueriesError, Work, done_lines, read_queries, refine_queries

CASES = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "fixtures/graphs/refine.jsonl").read_text().splitlines()
]
QUESTION = "How many items are there?"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_case(case: dict[str, Any], scripted: Callable[..., Any], shop: Path) -> None:
    scripted(case.get("texts", ()), [0.5])
    context = Context(model="scripted", llm_critic="off", z=3, **case.get("context", {}))
    graph = case.get("graph", "text_to_sql")
    found = refine(case["sql"], shop, case.get("question", QUESTION), graph=graph, context=context)
    assert (found.before, found.changed, found.rows) == (case["sql"], case["changed"], case["rows"])
    assert found.reason.startswith(case["reason"])
    assert found.after == case.get("after", case["sql"])
    assert found.status == case.get("status", "unverified")
    assert found.model_calls == case.get("calls", found.model_calls)
    assert [finding["type"] for finding in found.findings] == case.get("types", _any_types(found))
    assert case.get("error", "") in (found.error or "")


def _any_types(found: Any) -> list[str]:
    return [finding["type"] for finding in found.findings]


def test_nothing_to_refine_is_said(shop: Path) -> None:
    with pytest.raises(NoQueryError, match="the text is empty"):
        refine("  ", shop, QUESTION)
    with pytest.raises(QuestionError, match="There is no question"):
        refine("SELECT 1", shop, "")


@pytest.fixture
def work() -> Work:
    return Work("text_to_sql", Context(model="scripted", llm_critic="off"))


def rows_in(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.read_text().splitlines()]


def refine_all(file: Path, out: Path, work: Work, shop: Path, stop_after: int = 99) -> int:
    """As the command does; returns how many were worked on."""
    queries = read_queries(file, str(shop))
    done = done_lines(out, queries, work)
    left = [query for query in queries if query.line not in done][:stop_after]
    with out.open("a") as results:
        for row in refine_queries(left, work):
            results.write(json.dumps(row) + "\n")
    return len(left)


def test_a_file_goes_on_after_a_stop_and_repeats_nothing(
    scripted: Callable[..., Any], shop: Path, tmp_path: Path, work: Work
) -> None:
    scripted(["SELECT 1"])
    file, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    rows = [
        {"sql": f"SELECT titel FROM item WHERE id = {n}", "question": f"Which item is {n}?"}
        for n in range(1, 5)
    ]
    rows[2]["db"] = str(tmp_path / "nowhere.sqlite")
    file.write_text("\n".join(map(json.dumps, rows)))
    assert refine_all(file, out, work, shop, stop_after=2) == 2
    out.write_text(out.read_text() + '{"line": 3, "ke')
    assert refine_all(file, out, work, shop) == 2
    found = {row["line"]: row for row in rows_in(out)}
    assert sorted(found) == [1, 2, 3, 4]
    assert found[4]["after"] == "SELECT title FROM item WHERE id = 4"
    assert "nowhere.sqlite" in found[3]["error"]
    assert refine_all(file, out, work, shop) == 1, "only what could not be worked on is tried again"


def test_results_of_another_setting_are_not_mixed(
    scripted: Callable[..., Any], shop: Path, tmp_path: Path, work: Work
) -> None:
    scripted(["SELECT 1"])
    file, out = tmp_path / "in.csv", tmp_path / "out.jsonl"
    file.write_text("sql,question\nSELECT 1,one?\n")
    assert refine_all(file, out, work, shop) == 1
    other = Work("text_to_sql", Context(model="scripted", llm_critic="off", z=2))
    with pytest.raises(QueriesError, match="another input, graph or setting"):
        done_lines(out, read_queries(file, str(shop)), other)


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("in.txt", "SELECT 1", "no file of queries"),
        ("in.jsonl", '{"question": "how many"}', "Line 1 of .* has no sql"),
        ("in.jsonl", "SELECT 1", "cannot be read"),
        ("in.csv", "sql\nSELECT 1\n", "has no sql or no question"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(name: str, text: str, why: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(QueriesError, match=why):
        read_queries(tmp_path / name)
