"""Which further queries win what the first one lost, and for how many tokens."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from critiql.evals.data.item import Item
from critiql.evals.report.rows import Entry
from critiql.evals.report.supply import nested_alone, ways
from critiql.evals.run.store import Run, Store, StoredAnswer

Make = Callable[..., StoredAnswer]
FIRST, OTHER = "SELECT 1", "SELECT 2"


def candidate(sql: str, origin: str, correct: bool, repeats: int | None = None) -> dict[str, Any]:
    return {"sql": sql, "origin": origin, "correct": correct, "repeats": repeats}


@pytest.fixture
def entry(make_run: Callable[..., Run]) -> Callable[..., Entry]:
    store = Store(None)
    return lambda system, answers: Entry(make_run(store, system), list(answers))


@pytest.fixture
def baseline(make_stored: Make) -> list[StoredAnswer]:
    return [make_stored(index, index == 0, sql=FIRST) for index in range(4)]


def test_only_what_the_baseline_misses_can_be_won(
    baseline: list[StoredAnswer], make_stored: Make, entry: Callable[..., Entry]
) -> None:
    first = candidate(FIRST, "actor", False)
    answers = [
        make_stored(0, True, candidates=[first, candidate(OTHER, "actor", True)]),
        make_stored(1, True, candidates=[first, candidate(OTHER, "actor", True)]),
        make_stored(2, False, candidates=[first, candidate(FIRST, "actor", False, repeats=0)]),
        make_stored(3, True, candidates=[first, candidate(OTHER, "repair", True)]),
    ]
    usage = {"actor": {"calls": 2, "prompt": 100, "cached": 60, "generated": 10, "seconds": 1.0}}
    answers = [StoredAnswer(**{**vars_of(answer), "usage": usage}) for answer in answers]
    draw, repair = ways(baseline, [entry("text_to_sql", answers)])
    assert (draw.how, draw.asked, draw.right.value, draw.repeated.value) == ("draw 2", 2, 0.5, 0.5)
    assert (draw.tokens, draw.won_per_thousand) == (25.0, 20.0)
    assert (repair.how, repair.asked, repair.right.value, repair.tokens) == ("repair", 1, 1.0, 0.0)
    assert repair.won_per_thousand is None
    assert (draw.points(4), repair.points(4)) == (25.0, 25.0)


def test_another_prompt_s_first_query_is_a_way_of_its_own(
    baseline: list[StoredAnswer], make_stored: Make, entry: Callable[..., Entry]
) -> None:
    answers = [
        make_stored(1, True, candidates=[candidate(OTHER, "actor", True)]),
        make_stored(2, False, candidates=[candidate(FIRST, "actor", False)]),
    ]
    (way,) = ways(baseline, [entry("single_shot", answers)])
    assert (way.how, way.asked, way.right.value, way.repeated.value) == ("draw 1", 2, 0.5, 0.5)


def vars_of(answer: StoredAnswer) -> dict[str, Any]:
    return {name: getattr(answer, name) for name in StoredAnswer.__dataclass_fields__}


def test_nested_references_alone(baseline: list[StoredAnswer], shop: Path) -> None:
    golds = ("SELECT 1", "SELECT 1 UNION SELECT 2", "SELECT (SELECT 2)", "SELECT FROM")
    items = [Item("own", index, "shop", shop, "?", gold) for index, gold in enumerate(golds)]
    assert [answer.index for answer in nested_alone(baseline, items)] == [1, 2]
