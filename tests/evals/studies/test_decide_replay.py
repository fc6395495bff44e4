"""The published answers come out as they were published when they are decided anew."""

import pytest

from critiql.evals.studies.decide_replay import EXPORTS, replays, summarise

pytestmark = pytest.mark.whole


def test_the_published_train_answers_are_chosen_again() -> None:
    found = list(replays(EXPORTS / "train/spider-train-300_dev-run-6.jsonl.gz"))
    told = summarise(found)
    assert told == {
        "answers": 300,
        "another query": 0,
        "right before, wrong now": 0,
        "wrong before, right now": 0,
        "indices": [],
    }
    assert sum(bool(one.right_now) for one in found) == sum(bool(one.right_before) for one in found) > 200
