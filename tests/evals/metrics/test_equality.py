import random
import time
from itertools import permutations

import pytest

from critiql.evals.metrics.equality import same_table


def by_enumeration(gold, predicted, ordered):
    """The definition itself: some order of the columns makes both equal."""
    if not gold and not predicted:
        return True
    if len(gold) != len(predicted) or len(gold[0]) != len(predicted[0]):
        return False
    for order in permutations(range(len(gold[0]))):
        moved = [tuple(row[i] for i in order) for row in predicted]
        if (gold == moved) if ordered else (sorted(gold) == sorted(moved)):
            return True
    return False


@pytest.mark.parametrize("ordered", [False, True])
def test_agrees_with_the_definition(ordered):
    draw = random.Random(11)
    found = set()
    for _ in range(3000):
        width, height, values = draw.randint(1, 4), draw.randint(0, 5), draw.choice([2, 3, 6])
        gold = [tuple(draw.randrange(values) for _ in range(width)) for _ in range(height)]
        order = draw.sample(range(width), width)
        predicted = [tuple(row[i] for i in order) for row in gold]
        if draw.random() < 0.7:
            draw.shuffle(predicted)
        if predicted and draw.random() < 0.5:
            place = draw.randrange(height)
            predicted[place] = tuple(draw.randrange(values) for _ in range(width))
        truth = by_enumeration(gold, predicted, ordered)
        found.add(truth)
        assert same_table(gold, predicted, ordered=ordered) == truth
        assert same_table(gold, predicted, ordered=ordered, compat=True) == truth
    assert found == {True, False}


def test_many_columns_with_few_values_finish():
    draw = random.Random(3)
    gold = [tuple(draw.randrange(2) for _ in range(26)) for _ in range(40)]
    order = draw.sample(range(26), 26)
    predicted = [tuple(row[i] for i in order) for row in gold]
    draw.shuffle(predicted)
    started = time.monotonic()
    assert same_table(gold, predicted, ordered=False)
    changed = [(1 - predicted[0][0], *predicted[0][1:]), *predicted[1:]]
    assert not same_table(gold, changed, ordered=False)
    assert time.monotonic() - started < 2


def test_columns_that_differ_only_together_finish():
    identity = [tuple(int(i == j) for j in range(20)) for i in range(20)]
    shared = [*identity[:18], (*[0] * 18, 1, 1), (0,) * 20]
    started = time.monotonic()
    assert same_table(identity, identity[::-1], ordered=False)
    assert not same_table(identity, shared, ordered=False)
    assert time.monotonic() - started < 2
