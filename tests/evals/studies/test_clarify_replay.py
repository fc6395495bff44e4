"""How often a person would be asked, counted anew on the published answers."""

import pytest

from critiql.evals.studies.clarify_replay import PUBLISHED, summaries

pytestmark = pytest.mark.whole


def test_the_published_answers_ask_as_often_as_the_docs_say() -> None:
    told = next(summaries(*PUBLISHED))
    assert told.pop("settings") == {}
    assert told == {
        "answers": 300,
        "asked": 1,
        "interval": [0.1, 1.9],
        "the answer is right": 1,
        "only the other is right": 0,
        "neither": 0,
        "both": 0,
        "wrong answers in all": 64,
    }
