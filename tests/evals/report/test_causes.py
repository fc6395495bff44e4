"""Why wrong answers are wrong."""

from collections.abc import Callable
from pathlib import Path

import pytest

from critiql.evals.data.item import Item
from critiql.evals.report.causes import NO_TYPE, UNREADABLE, causes, causes_of, wrong_answers
from critiql.evals.run.store import StoredAnswer

GOLD = "SELECT title FROM item WHERE price > 10"


@pytest.fixture
def item(shop: Path) -> Item:
    return Item("own", 0, "shop", shop, "Which items cost more than 10?", GOLD)


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT title FROM item WHERE price < 10", {"operator_error"}),
        ("SELECT title FROM item", {"condition_missing"}),
        ("SELECT id FROM item WHERE price > 20", {"attribute_mismatch", "value_error"}),
        ("I cannot answer that.", {UNREADABLE}),
        (GOLD.lower(), {NO_TYPE}),
    ],
)
def test_a_cause_is_the_type_by_which_the_trees_differ(sql: str, expected: set[str], item: Item) -> None:
    assert causes_of(sql, item) == expected


def test_counts_say_what_was_there_and_what_was_broken(
    item: Item, make_stored: Callable[..., StoredAnswer]
) -> None:
    wrong, ran = "SELECT title FROM item", {"ok": True}
    pool = [
        {"id": 0, "sql": GOLD, "correct": True},
        {"id": 1, "sql": wrong, "correct": False, "execution": ran},
    ]
    answers = [
        make_stored(0, False, sql=wrong, candidates=pool),
        make_stored(0, False, sql=wrong, candidates=pool[1:]),
        make_stored(0, True, sql=GOLD),
        make_stored(7, False, sql=wrong),
    ]
    found = wrong_answers(answers, {0: item})
    assert [(each.choice, each.broken, each.executes) for each in found] == [
        (True, True, True),
        (False, False, True),
    ]
    (cause,) = causes(found)
    assert (cause.name, cause.answers, cause.alone, cause.choice, cause.broken, cause.fails) == (
        "condition_missing",
        2,
        2,
        1,
        1,
        0,
    )
