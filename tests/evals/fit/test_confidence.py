"""Platt scaling of what tells how likely a query is right."""

import math
import random
from types import SimpleNamespace
from typing import Any

import pytest

from critiql.evals.fit.confidence import LEAST, Judged, fit_confidence, fit_signal, judged_answers
from critiql.evals.fit.displacement import Pool


def pools(n: int, *, told: float = 1.0, written: float = 0.0) -> list[Pool]:
    """One query a question; how much of its chance P(True) tells, on the logit scale and halved, and how
    much the log-probability, from nothing to all."""
    draw = random.Random(1)
    made = []
    for number in range(n):
        odds = math.log(chance / (1 - chance)) if (chance := draw.uniform(0.05, 0.95)) else 0.0
        reading = told * odds / 2 + (1 - told) * draw.uniform(-2, 2)
        logprob = written * odds + (1 - written) * draw.uniform(-3, 3) - 5
        candidate: Any = {
            "id": 0,
            "sql": "select 1",
            "origin": "actor",
            "p_true": 1 / (1 + math.exp(-reading)),
            "logprob": logprob,
            "tokens": 1,
            "findings": [],
            "execution": {"ok": True, "rows_fingerprint": "r", "row_count": 1, "null_columns": 0},
        }
        made.append(Pool(f"db{number % 20}", (candidate,), (draw.random() < chance,)))
    return made


def test_a_reading_too_cautious_is_stretched() -> None:
    found = fit_confidence(pools(2000), None)
    assert found is not None
    assert found.signal == "p_true"
    assert found.slope == pytest.approx(2.0, abs=0.3)
    assert found.brier is not None
    assert found.brier_constant is not None
    assert found.brier < found.brier_constant - 0.05
    assert found.n == 2000
    assert found.of(0.5) == pytest.approx(0.5, abs=0.05)


def test_the_better_signal_is_kept() -> None:
    found = fit_confidence(pools(2000, told=0.5, written=1.0), None)
    assert found is not None
    assert (found.signal, found.n) == ("logprob", 2000)
    assert (found.slope, found.intercept) == (pytest.approx(1.0, abs=0.15), pytest.approx(5.0, abs=0.8))
    assert found.of(-5.0) == pytest.approx(0.5, abs=0.05)
    other = fit_signal(pools(2000, told=0.5, written=1.0), None, "p_true")
    assert other is not None
    assert (other.brier or 0) > (found.brier or 0)


def test_nothing_is_fitted_to_noise_or_to_too_little() -> None:
    assert fit_confidence(pools(LEAST - 1), None) is None
    assert fit_confidence(pools(400, told=0.0), None) is None
    failed = pools(400)
    for pool in failed:
        pool.candidates[0]["execution"] = None
    assert fit_confidence(failed, None) is None


def test_an_answer_is_judged_by_the_query_it_ended_with() -> None:
    ran, failed = {"ok": True, "rows_fingerprint": "r"}, {"ok": False}
    first = {"id": 0, "sql": "select a", "origin": "actor", "logprob": -4.0, "execution": failed}
    mended = {"id": 1, "sql": "select b", "origin": "repair", "logprob": None, "execution": ran}
    both: Any = [first, mended]
    answers: Any = [
        SimpleNamespace(db_id="x", sql="select b", candidates=both, correct=True),
        SimpleNamespace(db_id="x", sql="select a", candidates=both, correct=False),
        SimpleNamespace(db_id="x", sql="select b", candidates=both, correct=None),
        SimpleNamespace(db_id="x", sql=None, candidates=[], correct=False),
    ]
    assert judged_answers(answers) == [Judged("x", -4.0, True)]
