"""What the published train answers would have cost had the loop ended where nothing is in doubt."""

import pytest

from critiql.evals.data.datasets import load
from critiql.evals.studies.decide_replay import EXPORTS
from critiql.evals.studies.doubt_replay import WAYS, end, stored_answers, summarise


@pytest.mark.data
def test_a_proven_empty_result_ends_earlier_and_loses_no_right_answer() -> None:
    data = load("spider-train")
    if data.not_run:
        pytest.skip(data.not_run)
    items = {item.index: item for item in data.items}
    answers = list(stored_answers(EXPORTS / "spider-train-300_dev-run-8.jsonl.gz"))
    before, now = (
        [end(answer, WAYS[name], items[answer.index], calls) for answer, calls in answers]
        for name in ("before", "proven empty")
    )
    told = summarise(before, now)
    assert told["answers"] == 300
    assert told["end earlier"] == 3
    assert told["right before, wrong now"] == told["wrong before, right now"] == 0
