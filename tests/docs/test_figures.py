"""The tables of the results against the exports: every row in `figures.jsonl` is computed anew."""

import gzip
import json
import re
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import pytest

from critiql.evals.report.table import percent
from critiql.evals.statistics import compare, proportion

ROOT = Path(__file__).parents[2]
EXPORTS = ROOT / "evals/exports"
LISTED = ROOT / "tests/fixtures/docs/figures.jsonl"
CASES = [json.loads(line) for line in LISTED.read_text(encoding="utf-8").splitlines()]
"""Per row of a table: page, how the row begins, export and run, and, if need be, a task and columns."""

Answer = dict[str, Any]
Pairs = Sequence[tuple[bool, Answer]]
"""Per question whether it was right before, and the answer."""


@pytest.mark.parametrize("page", sorted({case["page"] for case in CASES}))
def test_tables_say_what_the_exports_hold(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    wrong = {
        f"{case['row']} {column}": (cell, said)
        for case in CASES
        if case["page"] == page
        for column, cell, said in _compared(text, case)
        if cell != said
    }
    assert not wrong, "a cell of the page, and what the export gives"


def _compared(text: str, case: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Column, cell and computed cell, where the page has a figure that can be computed."""
    cells = _row(text, case["row"])
    pairs = _pairs(case)
    shown = case.get("columns", {name: name for name in FIGURES})
    found = [
        (name, cell, FIGURES[shown[name]](pairs))
        for name, cell in cells.items()
        if name in shown and cell not in ("", "not run")
    ]
    assert found, f"{case['row']} has no column to check"
    return found


def _row(text: str, start: str) -> dict[str, str]:
    """The cells of the row that begins with these cells, by the names of their columns."""
    lines = text.splitlines()
    numbers = [n for n, line in enumerate(lines) if line.startswith(f"| {start} |")]
    assert len(numbers) == 1, f"{len(numbers)} rows begin with {start!r}"
    number = numbers[0]
    while lines[number - 1].startswith("|"):
        number -= 1
    head, row = (_cells(lines[at]) for at in (number, numbers[0]))
    return dict(zip(head, row, strict=True))


def _cells(line: str) -> list[str]:
    return [cell.strip().replace("**", "") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def _pairs(case: dict[str, Any]) -> Pairs:
    kept = _indices(case["task"]) if "task" in case else None
    answers = [a for a in _answers(case["export"], case["run"]) if kept is None or a["index"] in kept]
    if "base" not in case:
        return [(_first_is_right(answer), answer) for answer in answers]
    before = {answer["index"]: answer["correct"] for answer in _answers(*case["base"])}
    return [(before[answer["index"]], answer) for answer in answers]


def _first_is_right(answer: Answer) -> bool:
    return bool(answer["candidates"] and answer["candidates"][0].get("correct"))


@cache
def _indices(task: str) -> frozenset[int]:
    return frozenset(json.loads((ROOT / f"evals/tasks/{task}.json").read_text(encoding="utf-8"))["indices"])


def _answers(export: str, run: str) -> list[Answer]:
    return [answer for answer in _all_answers(export) if answer["run"] == run]


@cache
def _all_answers(export: str) -> list[Answer]:
    lines = gzip.decompress((EXPORTS / export).read_bytes()).splitlines()
    answers = [json.loads(line) for line in lines if line.startswith(b'{"kind":"answer"')]
    return [answer for answer in answers if answer["correct"] is not None]


def _share(verdicts: Sequence[object]) -> str:
    return percent(proportion(sum(map(bool, verdicts)), len(verdicts)))


def _interval(verdicts: Sequence[object]) -> str:
    found = proportion(sum(map(bool, verdicts)), len(verdicts))
    return "{:.1f} ({:.1f} to {:.1f})".format(*(100 * x for x in (found.value, found.low, found.high)))


def _spent(pairs: Pairs, *names: str) -> float:
    """Mean over the questions of what all roles spent; the first name counts, the others are taken off."""
    used = [role for _, answer in pairs for role in answer["usage"].values()]
    return sum(role[names[0]] - sum(role[name] for name in names[1:]) for role in used) / len(pairs)


def _difference(pairs: Pairs) -> str:
    found = compare([was for was, _ in pairs], [a["correct"] for _, a in pairs]).difference
    return "{:+.1f} [{:+.1f}, {:+.1f}]".format(*(100 * x for x in (found.value, found.low, found.high)))


def _p(pairs: Pairs) -> str:
    return f"{compare([was for was, _ in pairs], [a['correct'] for _, a in pairs]).p_value:.2g}"


def _seconds(pairs: Pairs) -> list[float]:
    return sorted(answer["model_seconds"] for _, answer in pairs)


FIGURES: dict[str, Callable[[Pairs], str]] = {
    "n": lambda pairs: f"{len(pairs):,}",
    "EX": lambda pairs: _share([a["correct"] for _, a in pairs]),
    "TS": lambda pairs: _share([a["suite_correct"] for _, a in pairs]),
    "EX, 95 %": lambda pairs: _interval([a["correct"] for _, a in pairs]),
    "before": lambda pairs: _share([was for was, _ in pairs]),
    "after": lambda pairs: _share([a["correct"] for _, a in pairs]),
    "EX before": lambda pairs: _share([was for was, _ in pairs]).split()[0],
    "EX after": lambda pairs: _share([a["correct"] for _, a in pairs]).split()[0],
    "TS short": lambda pairs: _share([a["suite_correct"] for _, a in pairs]).split()[0],
    "any candidate right": lambda pairs: _share(
        [a["correct"] or any(c.get("correct") for c in a["candidates"]) for _, a in pairs]
    ).split()[0],
    "calls": lambda pairs: f"{_spent(pairs, 'calls'):.2f}",
    "tokens computed": lambda pairs: f"{_spent(pairs, 'prompt', 'cached'):.0f}",
    "tokens out": lambda pairs: f"{_spent(pairs, 'generated'):.0f}",
    "median s": lambda pairs: f"{median(_seconds(pairs)):.1f}",
    "seconds: median, 95 %": lambda pairs: (
        f"{median(_seconds(pairs)):.1f}, {quantiles(_seconds(pairs), n=20)[-1]:.0f}"
    ),
    "fixed": lambda pairs: str(sum(a["correct"] and not was for was, a in pairs)),
    "broken": lambda pairs: str(sum(was and not a["correct"] for was, a in pairs)),
    "EX difference": _difference,
    "McNemar p": _p,
}
"""How each column is computed."""
