"""Confidence is a fitted probability, or unknown."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from critiql.agent import answer
from critiql.agent.calibration import Confidence
from critiql.agent.context import Context
from critiql.graphs.catalogue import graph


def confidence(scripted: Callable[..., Any], shop: Path, truth: float) -> float | None:
    scripted(["SELECT name FROM maker"], [truth])
    given: Any = {"question": "Which makers are there?", "database": str(shop)}
    context = Context(model="scripted", llm_critic="raw", z=2, refine=False)
    value: float | None = graph("text_to_sql").invoke(given, context=context)["confidence"]
    return value


def test_a_raw_reading_is_no_confidence(scripted: Callable[..., Any], shop: Path) -> None:
    assert confidence(scripted, shop, 0.9) is None


def test_a_fitted_reading_is(scripted: Callable[..., Any], shop: Path, monkeypatch: Any) -> None:
    fitted = SimpleNamespace(confidence=Confidence(slope=0.0, intercept=0.0))
    monkeypatch.setattr(answer, "calibration_for", lambda _context: fitted)
    assert confidence(scripted, shop, 0.9) == pytest.approx(0.5)


def test_the_scale() -> None:
    same = Confidence(slope=1.0, intercept=0.0)
    assert [same.of(p) for p in (0.1, 0.5, 0.9)] == pytest.approx([0.1, 0.5, 0.9])
    assert 0 <= Confidence(slope=50.0, intercept=-900.0).of(0.0) < same.of(1.0) <= 1
