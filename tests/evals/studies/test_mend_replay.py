"""What the rules that mend joins, keys and categories change of the published train answers."""

import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from critiql.evals.data.datasets import load
from critiql.evals.data.item import Item
from critiql.evals.studies.decide_replay import EXPORTS
from critiql.evals.studies.mend_replay import COPIES, RULES, answers_of, on_copies, replay

CHANGING = {"unneeded_join", "copied_key", "category_unused", "either_for_both"}
"""Rules that mend something here; most of the others are for questions that Spider hardly asks."""


def test_a_copy_misses_rows_so_that_a_needless_join_shows(tmp_path: Path) -> None:
    database = tmp_path / "shelf.sqlite"
    with closing(sqlite3.connect(database)) as connection:
        connection.executescript("CREATE TABLE book (id INT); CREATE TABLE loan (book INT);")
        connection.executemany("INSERT INTO book VALUES (?)", [(number,) for number in range(40)])
        connection.executemany("INSERT INTO loan VALUES (?)", [(number,) for number in range(40)])
        connection.commit()
    item = Item("own", 0, "shelf", database, "Which books?", "SELECT id FROM book")
    joined = "SELECT b.id FROM book AS b JOIN loan AS l ON b.id = l.book"
    assert on_copies(item, (item.gold, joined), tmp_path) == [True, False]
    sizes = Counter(file.name for file in tmp_path.glob("shelf-*.sqlite"))
    assert len(sizes) == COPIES


@pytest.mark.data
@pytest.mark.parametrize("rule", RULES)
def test_no_right_answer_of_the_published_ones_becomes_wrong(rule: str) -> None:
    data = load("spider-train")
    if data.not_run:
        pytest.skip(data.not_run)
    items = {item.index: item for item in data.items}
    answers = list(answers_of(EXPORTS / "train/spider-train-300_dev-run-8.jsonl.gz"))
    found = [replay(answer, items[answer.index], RULES[rule]) for answer in answers]
    assert len(found) == 300
    assert any(one.before.sql != one.now.sql for one in found) == (rule in CHANGING)
    assert all(one.now.right for one in found if one.before.right)
