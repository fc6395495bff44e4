"""The printed form: what it looks like, and what its parser says about mistakes."""

import json
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from critiql.tools.sql.parse import Parsed, parse
from critiql.tools.trajectory.forms.parse_text import parse_text
from critiql.tools.trajectory.forms.text import to_text
from critiql.tools.trajectory.language.actions import Problem, Trajectory
from critiql.tools.trajectory.language.compile import compile_query
from critiql.tools.trajectory.language.decompile import to_sql

FIXTURES = Path(__file__).parents[3] / "fixtures" / "trajectory"


def read(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (FIXTURES / name).read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def usual_depth() -> Iterator[None]:
    """As deep as Python calls by itself; other tests of this process may have left it deeper."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(1000)
    yield
    sys.setrecursionlimit(before)


@pytest.mark.parametrize("case", read("printed.jsonl"), ids=lambda case: case["sql"][:40])
def test_printed_form(case: dict[str, Any]) -> None:
    parsed = parse(case["sql"])
    assert isinstance(parsed, Parsed)
    trajectory = compile_query(parsed.tree)
    assert isinstance(trajectory, Trajectory)
    assert to_text(trajectory).splitlines() == case["text"]


@pytest.mark.parametrize("case", read("text_errors.jsonl"), ids=lambda case: case["message"])
def test_errors_name_line_and_action(case: dict[str, Any], usual_depth: None) -> None:
    problem = parse_text(case["text"])
    assert isinstance(problem, Problem)
    assert case["message"] in problem.message
    assert (problem.line, problem.action) == (case["line"], case["action"])


@pytest.mark.parametrize(
    ("text", "sql"),
    [
        ("res=scan(t).where( a=1 ).select(a)", "SELECT a FROM t WHERE a = 1"),
        ("res = scan(t)\n\n\n.WHERE(a = 1 AND b = 2)\n.select(a)", "SELECT a FROM t WHERE a = 1 AND b = 2"),
        (
            "res = scan(t).where(a = 1 OR b = 2).where(c = 3).select(a)",
            "SELECT a FROM t WHERE (a = 1 OR b = 2) AND c = 3",
        ),
        ("res = scan(t).select(COUNT(*))", "SELECT COUNT(*) FROM t"),
        (
            "x = scan(t).agg(MAX(a))\nres = scan(t).where(a = scalar(x)).select(*)",
            "SELECT * FROM t WHERE a = (SELECT MAX(a) FROM t)",
        ),
        ("x = scan(t).select(a)\nres = scan((x) AS d).select(d.a)", "SELECT d.a FROM (SELECT a FROM t) AS d"),
        ("res = scan(t).select('a.b(c), d' AS x) -- a remark", "SELECT 'a.b(c), d' AS x FROM t"),
    ],
)
def test_free_layout(text: str, sql: str) -> None:
    trajectory = parse_text(text)
    assert isinstance(trajectory, Trajectory), trajectory
    assert to_sql(trajectory) == sql


def mutated(text: str, draw: random.Random) -> str:
    """The text with a few characters or lines lost, doubled, moved or thrown in."""
    for _ in range(draw.randint(1, 3)):
        start = draw.randrange(len(text) + 1)
        end = min(len(text), start + draw.randint(1, 12))
        lines = text.split("\n")
        draw.shuffle(lines)
        changes = (
            text[:start] + text[end:],
            text[:start] + text[start:end] + text[start:],
            text[:start] + draw.choice("()'\",.;=\\{}[]%\0-*/") + text[start:],
            "\n".join(lines),
            "\n".join(lines[1:]),
        )
        text = draw.choice(changes)
    return text


@pytest.mark.parametrize("seed", range(20))
def test_any_text_gives_a_trajectory_or_a_problem(seed: int) -> None:
    draw = random.Random(seed)
    printed = ["\n".join(case["text"]) for case in read("printed.jsonl")]
    for _ in range(20):
        text = mutated(draw.choice(printed), draw)
        found = parse_text(text)
        if isinstance(found, Trajectory):
            again = parse_text(to_text(found))
            assert isinstance(again, Trajectory), text
            assert to_sql(again) == to_sql(found)
        else:
            assert found.message


def test_problem_reads_as_a_sentence() -> None:
    assert (
        str(Problem("it must stand before select", 3, "where"))
        == "line 3, where: it must stand before select"
    )
    assert str(Problem("the text is empty")) == "the text is empty"
