"""Agreement of two drafts: what counts, and the published drafts by and without an adapter."""

import pytest

from critiql.evals.studies.decide_replay import EXPORTS
from critiql.evals.studies.draft_agreement import Draft, agreement, drafts

pytestmark = pytest.mark.whole


def test_equal_rows_agree_and_two_failures_do_not() -> None:
    one = {1: Draft(True, "a", 2), 2: Draft(False, None, 0), 3: Draft(False, "b", 0), 4: Draft(True, "c", 1)}
    other = {
        1: Draft(True, "a", 2),
        2: Draft(False, None, 0),
        3: Draft(False, "b", 0),
        5: Draft(True, "c", 1),
    }
    told = agreement(one, other)
    assert told["questions"] == 3
    assert (told["agree"]["count"], told["agree and right"]["count"]) == (2, 1)
    assert (told["agree on some rows"]["count"], told["agree on some rows and right"]["count"]) == (1, 1)
    assert told["differ"] == {"wrong, wrong": 1}


def test_the_published_drafts_on_train() -> None:
    path = EXPORTS / "spider_0.5b_actor_adapter.jsonl.gz"
    told = agreement(
        drafts(path, "spider-train", "faf45c4e816f"), drafts(path, "spider-train", "6172bb6fbf47")
    )
    assert told["questions"] == 60
    assert told["right"] == {"one": 34, "other": 39}
    assert told["agree and right"]["count"] <= told["agree"]["count"] < 60
