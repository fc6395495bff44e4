import hashlib
import json
import os
import shutil
import sqlite3
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from critiql.evals.data.datasets import load
from critiql.evals.metrics import test_suite as suites
from critiql.evals.metrics.execution import GoldResults, run_clean
from critiql.evals.metrics.execution_accuracy import CLEAN, COMPAT, Rules, execution_accuracy, judge

FIXTURES = Path(__file__).parents[2] / "fixtures/evals"


def cases(name: str) -> list[dict]:
    return [json.loads(line) for line in (FIXTURES / name).read_text("utf-8").splitlines()]


def outcome(verdict) -> bool | str:
    return "gold_error" if verdict.reason == "gold_error" else verdict.correct


@pytest.mark.parametrize("case", cases("pairs.jsonl"), ids=lambda case: case["name"])
def test_verdicts_and_the_file_stays(case, shop, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = hashlib.sha256(shop.read_bytes()).hexdigest()
    clean = execution_accuracy(case["gold"], case["prediction"], shop, CLEAN)
    assert outcome(execution_accuracy(case["gold"], case["prediction"], shop, COMPAT)) == case["compat"]
    assert outcome(clean) == case["clean"]
    assert clean.reason == case.get("clean_reason", clean.reason)
    if "keep_distinct" in case:
        kept = execution_accuracy(
            case["gold"], case["prediction"], shop, Rules(compat=True, keep_distinct=True)
        )
        assert kept.correct == case["keep_distinct"]
    assert hashlib.sha256(shop.read_bytes()).hexdigest() == before
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("case", cases("plugged.jsonl"), ids=lambda case: case["name"])
def test_plugged_values(case, shop):
    for compat in (False, True):
        for plug in (False, True):
            verdict = execution_accuracy(
                case["gold"], case["prediction"], shop, Rules(compat, plug_value=plug)
            )
            assert verdict.correct == case["plugged" if plug else "plain"]


def test_runaway_prediction_times_out(shop):
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    started = time.monotonic()
    verdict = execution_accuracy("SELECT 1", endless, shop, Rules(seconds=0.2))
    assert (verdict.correct, verdict.reason) == (False, "timeout")
    assert time.monotonic() - started < 2


def test_endless_rows_are_not_fetched(shop):
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"
    for rules in (Rules(seconds=None), COMPAT):
        assert execution_accuracy("SELECT 1", endless, shop, rules).reason == "different"


def test_thirty_equal_columns_finish(shop):
    wide = "SELECT " + ", ".join(["maker_id"] * 30) + " FROM item"
    started = time.monotonic()
    for rules in (CLEAN, COMPAT):
        assert execution_accuracy(wide, wide, shop, rules).correct
        assert not execution_accuracy(wide, wide.replace("maker_id", "id", 1), shop, rules).correct
    assert time.monotonic() - started < 2


def test_all_variants_must_agree(own_shop, tmp_path):
    variant = tmp_path / "shopv1.sqlite"
    shutil.copy(own_shop, variant)
    right, lucky = "SELECT title FROM item WHERE price > 50", "SELECT 'table'"
    assert suites.test_suite_accuracy(right, lucky, own_shop).correct
    with closing(sqlite3.connect(variant)) as connection, connection:
        connection.execute("UPDATE item SET title = 'bench' WHERE title = 'table'")
    verdict = suites.test_suite_accuracy(right, lucky, own_shop)
    assert (verdict.correct, verdict.reason) == (False, "different")
    assert suites.test_suite_accuracy(right, right, own_shop).correct


def test_missing_databases_are_an_error(tmp_path, shop):
    with pytest.raises(ValueError, match="no database"):
        judge("SELECT 1", "SELECT 1", ())
    with pytest.raises(FileNotFoundError, match=r"no \.sqlite file"):
        suites.suite(tmp_path / "nothing")
    with pytest.raises(FileNotFoundError):
        execution_accuracy("SELECT 1", "SELECT 1", tmp_path / "nothing.sqlite")
    assert execution_accuracy(" ", "SELECT 1", shop).reason == "gold_error"


def test_gold_results_are_kept_until_the_file_changes(own_shop):
    kept, runs = GoldResults(cells=20), []

    def run(sql="SELECT * FROM item"):
        def once():
            runs.append(sql)
            return run_clean(own_shop, sql, seconds=1)

        return kept.get(own_shop, sql, once)

    assert run("SELECT 1") == run("SELECT 1")
    assert runs == ["SELECT 1"]
    os.utime(own_shop, ns=(1, 1))
    run("SELECT 1")
    assert len(runs) == 2
    run()
    run()
    assert len(runs) == 4, "twelve cells are more than an eighth of the bound"
    for number in range(2, 42):
        run(f"SELECT {number}")
    run("SELECT 1")
    assert len(runs) == 45, "the oldest results make room"


@pytest.mark.data
def test_spider_dev_gold_equals_itself():
    data = load("spider-dev")
    if data.not_run:
        pytest.skip(data.not_run)
    assert {
        rank: Counter(i.difficulty for i in data.items)[rank] for rank in ("easy", "medium", "hard", "extra")
    } == {
        "easy": 248,
        "medium": 446,
        "hard": 174,
        "extra": 166,
    }
    for rules in (CLEAN, COMPAT):
        verdicts = [execution_accuracy(item.gold, item.gold, item.database, rules) for item in data.items]
        assert sum(verdict.correct for verdict in verdicts) == len(verdicts) == 1034
