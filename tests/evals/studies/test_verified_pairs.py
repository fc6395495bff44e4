"""The study of verified pairs: what counts as another pair, and what its report says."""

from pathlib import Path

import pytest

from critiql.evals.data.item import Item
from critiql.evals.studies.verified_pairs import pairs_for, report, subjects
from critiql.tools.settings import settings


def item(index: int, question: str, gold: str, name: str = "shop") -> Item:
    return Item("own", index, name, Path("shop.sqlite"), question, gold)


def test_neither_the_question_nor_its_query_is_among_its_pairs() -> None:
    asked = item(0, "How many?", "SELECT COUNT(*) FROM item")
    others = [
        asked,
        item(1, "How many items?", "select count(*) from item"),
        item(2, "Which titles?", "SELECT title FROM item"),
        item(3, "Which names?", "SELECT name FROM maker", "other"),
    ]
    assert pairs_for(asked, others) == [{"question": "Which titles?", "sql": "SELECT title FROM item"}]


def test_the_report_counts_what_was_fixed_and_broken() -> None:
    outcomes = [
        ("missed", False, True),
        ("missed", False, False),
        ("right", True, True),
        ("right", True, False),
    ]
    rows = [
        {
            "graph": "text_to_sql",
            "group": group,
            "shown": 1,
            "database": "shop",
            "right_without": before,
            "right": now,
            "prompt_tokens": 100,
            "seconds": 2.0,
        }
        for group, before, now in outcomes
    ]
    missed, right = report(rows)
    assert (missed["n"], missed["right without"], missed["right with"], missed["fixed"]) == (2, 0, 1, 1)
    assert (right["n"], right["right without"], right["right with"], right["broken"]) == (2, 2, 1, 1)
    assert missed["interval"][0] < 50 < missed["interval"][1]


@pytest.mark.data
def test_both_groups_take_turns() -> None:
    if settings().data is None:
        pytest.skip("CRITIQL_DATA is not set")
    found = [next(subjects(0, 2000)) for _ in range(2)]
    assert found[0] == found[1]
    assert found[0].group == "missed"
