"""What the published train answers would have cost had the loop ended where nothing is in doubt."""

import sqlite3
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from critiql.evals.data.datasets import load
from critiql.evals.data.item import Item
from critiql.evals.run.store import StoredAnswer
from critiql.evals.studies.decide_replay import EXPORTS
from critiql.evals.studies.doubt_replay import (
    PROMPT_SECONDS,
    TOKEN_SECONDS,
    WAYS,
    Call,
    Way,
    end,
    stored_answers,
    summarise,
)

pytestmark = pytest.mark.whole


@pytest.mark.data
def test_a_proven_empty_result_ends_earlier_and_loses_no_right_answer() -> None:
    data = load("spider-train")
    if data.not_run:
        pytest.skip(data.not_run)
    items = {item.index: item for item in data.items}
    answers = list(stored_answers(EXPORTS / "train/spider-train-300_dev-run-8.jsonl.gz"))
    before, now = (
        [end(answer, WAYS[name], items[answer.index], calls) for answer, calls in answers]
        for name in ("before", "proven empty")
    )
    told = summarise(before, now)
    assert told["answers"] == 300
    assert told["end earlier"] == 3
    assert told["right before, wrong now"] == told["wrong before, right now"] == 0


def item(tmp_path: Path) -> Item:
    file = tmp_path / "shop.sqlite"
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript("CREATE TABLE item (no INT); INSERT INTO item VALUES (1), (2);")
    return Item("d", 0, "shop", file, "Which items?", "SELECT no FROM item")


def drawn(place: int, sql: str, error: str = "", **more: object) -> dict[str, Any]:
    execution = {"ok": not error, "kind": error or None, "row_count": 0 if error else 2, "truncated": False}
    findings = [{"type": "table_missing"}]
    told = {"id": str(place), "round": place, "sql": sql, "origin": "actor", "tokens": 8, "correct": False}
    return {**told, "findings": findings, "execution": {**execution, "null_columns": 0}, **more}


BAD, OTHER = "no_such_column", "no_such_table"
FAILED = [drawn(1, "A", BAD), drawn(2, "B", OTHER), drawn(3, "C", BAD), drawn(4, "D", BAD)]
ALIKE = [
    drawn(1, "SELECT no FROM item"),
    drawn(2, "SELECT item.no FROM item"),
    drawn(3, "SELECT 3"),
    drawn(4, "SELECT no FROM item ORDER BY no DESC"),
]


@pytest.mark.parametrize(
    ("candidates", "way", "generations"),
    [
        (FAILED, Way(), 4),
        (FAILED, Way(draws=2), 2),
        (FAILED, Way(errors=2), 4),
        (FAILED, Way(errors=1), 1),
        (ALIKE, Way(errors=1), 4),
        (ALIKE, Way(results=1), 2),
        (ALIKE, Way(results=2), 4),
        ([*ALIKE[:1], drawn(2, "SELECT no FROM item", repeats="1"), *ALIKE[2:]], Way(results=1), 2),
    ],
)
def test_rules_about_draws_end_the_loop(
    candidates: list[dict[str, Any]], way: Way, generations: int, tmp_path: Path
) -> None:
    answer = SimpleNamespace(candidates=candidates)
    ended = end(cast("StoredAnswer", answer), way, item(tmp_path), [Call(1.0, 50, 8)] * 4)
    assert ended.generations == generations
    assert ended.seconds == generations
    assert ended.at_rest == pytest.approx(generations * (50 * PROMPT_SECONDS + 8 * TOKEN_SECONDS))


def test_a_draw_that_is_too_long_is_cut_off(tmp_path: Path) -> None:
    long = drawn(2, "SELECT 1", tokens=40, correct=True, findings=[])
    answer = cast("StoredAnswer", SimpleNamespace(candidates=[drawn(1, "A", BAD), long]))
    calls = [Call(1.0, 50, 8), Call(5.0, 20, 40)]
    asked = item(tmp_path)
    whole, cut = (end(answer, way, asked, calls) for way in (Way(), Way(longer=2)))
    assert (whole.right, cut.right) == (True, False)
    assert whole.at_rest - cut.at_rest == pytest.approx((40 - 26) * TOKEN_SECONDS)
