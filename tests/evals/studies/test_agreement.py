import shutil
import sys
from pathlib import Path

import pytest

from critiql.evals.data.item import Item
from critiql.evals.metrics.execution_accuracy import Verdict
from critiql.evals.studies import agreement
from critiql.evals.studies.agreement import MODES, Official, Pair, agrees, compare, pairs

pytestmark = pytest.mark.whole

FAKE = """
import sqlite3, time

def eval_exec_match(db, p_str, g_str, plug_value, keep_distinct, progress):
    assert "no_such" not in g_str
    if not p_str:
        raise IndexError
    if "SLEEP" in p_str:
        time.sleep(60)
    connection = sqlite3.connect(db)
    try:
        return int(connection.execute(p_str).fetchall() == connection.execute(g_str).fetchall())
    except sqlite3.Error:
        return 0
"""
"""Stands for the official script."""


@pytest.fixture
def official(tmp_path: Path, shop: Path):
    """The stand-in on the database `shop`."""
    (tmp_path / "exec_eval.py").write_text(FAKE, "utf-8")
    (tmp_path / "parse.py").write_text("", "utf-8")
    (tmp_path / "database/shop").mkdir(parents=True)
    shutil.copy(shop, tmp_path / "database/shop/shop.sqlite")
    runner = Official(tmp_path, sys.executable, tmp_path / "database")
    yield runner
    runner.close()


def item(gold: str) -> Item:
    return Item("own", 0, "shop", Path("shop.sqlite"), "?", gold)


def test_verdicts_are_counted_and_damage_is_undone(official, tmp_path, monkeypatch):
    monkeypatch.setattr(agreement, "PATIENCE", 1)
    gold = "SELECT title FROM item"
    found = [
        Pair("drops", item(gold), "DROP TABLE item"),
        Pair("same", item(gold), gold),
        Pair("sleeps", item(gold), "SLEEP"),
        Pair("empty", item(gold), ""),
        Pair("shuffled", item("SELECT title, price FROM item"), "SELECT price, title FROM item"),
        Pair("gold", item("SELECT no_such FROM item"), gold),
    ]
    counts = compare(found, official, tmp_path / "database", "EX")
    assert {(kind, said, same): n for (_, kind, said, same), n in counts.items()} == {
        ("drops", "0", True): 1,
        ("same", "1", True): 1,
        ("sleeps", "unfinished", True): 1,
        ("empty", "crash", True): 1,
        ("shuffled", "0", False): 1,
        ("gold", "gold_error", True): 1,
    }


def test_pairs_are_gold_mutations_and_predictions(tmp_path):
    predictions = tmp_path / "model.txt"
    predictions.write_text("SELECT 1\tshop\n\n", "utf-8")
    found = list(pairs([item("SELECT title FROM item"), item("SELECT 2")], [predictions], per_kind=1))
    assert [pair.prediction for pair in found[:2]] == ["SELECT title FROM item", "SELECT 2"]
    assert [pair.prediction for pair in found[-2:]] == ["SELECT 1", ""]
    assert {pair.kind for pair in found} >= {"limit", "lower case", "column added"}


@pytest.mark.parametrize(
    ("said", "correct", "reason", "same"),
    [
        ("1", True, "equal", True),
        ("1", False, "different", False),
        ("0", False, "error", True),
        ("0", False, "gold_error", False),
        ("gold_error", False, "gold_error", True),
        ("crash", False, "empty", True),
        ("crash", True, "equal", False),
    ],
)
def test_agreement(said, correct, reason, same):
    assert agrees(said, Verdict(correct, reason)) is same
    assert set(MODES) == {"EX", "EX keep_distinct", "EX plug_value", "TS"}
