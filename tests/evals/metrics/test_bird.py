import json
from pathlib import Path

import pytest

from critiql.evals.metrics.bird import BirdScore, bird_scores, same_set, soft_f1, ves_reward

CASES = (Path(__file__).parents[2] / "fixtures/evals/soft_f1.jsonl").read_text("utf-8").splitlines()


@pytest.mark.parametrize("case", [json.loads(line) for line in CASES], ids=str)
def test_soft_f1(case):
    gold, predicted = ([tuple(row) for row in case[side]] for side in ("gold", "predicted"))
    assert soft_f1(gold, predicted) == pytest.approx(case["f1"])


def test_execution_compares_sets_of_rows():
    assert same_set([(1,), (1,), (2,)], [(2,), (1.0,)])
    assert not same_set([(1, 2)], [(2, 1)])
    assert not same_set([(1,)], [("1",)])
    assert same_set([], [])


@pytest.mark.parametrize(
    ("around", "reward"), [(2.5, 1.25), (2.0, 1.25), (1.5, 1.0), (0.7, 0.75), (0.3, 0.5), (0.1, 0.25)]
)
def test_reward_steps(around, reward):
    ratios = [around - 0.01, around + 0.01] * 5
    assert ves_reward(ratios) == reward


def test_reward_drops_outliers_and_equal_ratios():
    assert ves_reward([1.1, 1.2] * 50 + [1000.0]) == 1.0
    assert ves_reward([1.0] * 10) == 0.0
    assert ves_reward([]) == 0.0


def test_pairs_on_a_database(shop):
    gold = "SELECT title FROM item ORDER BY price"
    assert bird_scores(gold, "SELECT title FROM item", shop).execution
    assert bird_scores(gold, "SELECT title, price FROM item ORDER BY price", shop) == BirdScore(
        False, 2 / 3, 0.0
    )
    assert bird_scores(gold, "DROP TABLE item", shop) == BirdScore(False, 0.0, 0.0)
    assert bird_scores("SELECT nothing", gold, shop) == BirdScore(False, 0.0, 0.0)
    assert bird_scores(gold, gold, shop, repeats=20).reward > 0
    assert bird_scores(gold, "SELECT 1", shop, repeats=5).reward == 0
