"""Confidence is a fitted probability, or unknown; a critic that has no say in anything is not asked."""

import math
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from critiql import prompts
from critiql.agent.context import Context
from critiql.agent.decide import confidence
from critiql.agent.decide import fitted as fitted_module
from critiql.agent.decide.actor_scale import ActorScale, user_folder, write_scale
from critiql.agent.decide.calibration import Confidence, scaled
from critiql.agent.decide.confidence import confidence_of, signal_of
from critiql.graphs.catalogue import graph

SLOPE_ONE: Any = {"slope": 1.0, "intercept": 0.0, "prompt": prompts.load("actor").digest}
CANDIDATES: Any = [
    {"id": 0, "origin": "actor", "logprob": -3.0, "p_true": 0.2},
    {"id": 1, "origin": "repair", "logprob": None},
    {"id": 2, "origin": "refiner", "logprob": -1.0, "p_true": 0.9},
    {"id": 3, "origin": "escalation", "logprob": None},
]


def answered(shop: Path, model: Any, **settings: Any) -> tuple[float | None, int]:
    """The answer's confidence, and how often the critic was asked."""
    given: Any = {"question": "Which makers are there?", "database": str(shop)}
    context = Context(model="scripted", z=2, refine=False, **settings)
    found = graph("text_to_sql").invoke(given, context=context)
    return found["confidence"], sum(operation == "choose" for operation, _, _ in model.asked)


@pytest.fixture
def writer(scripted: Callable[..., Any]) -> Any:
    return scripted(["SELECT name FROM maker"], [0.9])


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Give the scripted model a calibration."""

    def calibrate(scale: Confidence | None, *, reads: bool = False, actor: str = "scripted") -> None:
        fitted = SimpleNamespace(
            confidence=scale, actor=actor, reads=reads, enabled=False, threshold=0.0, displacement=None
        )
        for module in (confidence, fitted_module):
            monkeypatch.setattr(module, "fitted_for", lambda _context: fitted)

    return calibrate


def test_below_what_it_was_fitted_on_it_is_unknown(
    writer: Any, shop: Path, measured: Callable[..., None]
) -> None:
    measured(Confidence(signal="logprob", low=1.0, **SLOPE_ONE))
    assert answered(shop, writer, llm_critic="off") == (None, 0)


def test_no_answer_is_surer_than_the_surest_it_was_fitted_on() -> None:
    scale = Confidence(signal="logprob", low=-10.0, high=-0.5, slope=1.0, intercept=2.0)
    assert scale.of(-0.1) == scale.of(-0.5) > scale.of(-2.0)
    assert [scale.covers(reading) for reading in (-10.1, -10.0, 0.0)] == [False, True, True]


def test_a_raw_reading_is_no_confidence(writer: Any, shop: Path) -> None:
    assert answered(shop, writer, llm_critic="raw") == (None, 1)


def test_a_critic_without_a_say_is_not_asked(writer: Any, shop: Path, measured: Callable[..., None]) -> None:
    measured(Confidence(signal="logprob", **SLOPE_ONE))
    sure = pytest.approx(1 / (1 + math.e))  # the script's log-probability is -1
    assert answered(shop, writer) == (sure, 0)
    assert answered(shop, writer, llm_critic="off") == (sure, 0)
    assert answered(shop, writer, critic_threshold=0.5) == (sure, 1)


def test_a_critic_with_a_say_is(writer: Any, shop: Path, measured: Callable[..., None]) -> None:
    measured(Confidence(signal="p_true", **SLOPE_ONE), reads=True)
    assert answered(shop, writer) == (pytest.approx(0.9), 1)
    measured(Confidence(signal="p_true", **SLOPE_ONE), reads=True)
    assert answered(shop, writer, llm_critic="off") == (None, 1)


def test_another_actors_log_probability_tells_nothing(
    writer: Any, shop: Path, measured: Callable[..., None]
) -> None:
    measured(Confidence(signal="logprob", **SLOPE_ONE), actor="another")
    assert answered(shop, writer) == (None, 0)
    measured(Confidence(signal="logprob", slope=1.0, intercept=0.0, prompt="another"))
    assert answered(shop, writer) == (None, 0)
    measured(None)
    assert confidence_of(CANDIDATES[0], {"candidates": CANDIDATES}, Context(model="scripted")) is None  # type: ignore[typeddict-item]


def test_a_repair_is_as_sure_as_what_it_mends() -> None:
    found = [signal_of(candidate, CANDIDATES, "logprob") for candidate in CANDIDATES]
    assert found == [-3.0, -3.0, -1.0, None]
    assert signal_of(CANDIDATES[1], CANDIDATES[1:], "logprob") is None
    assert signal_of(CANDIDATES[2], CANDIDATES, "p_true") == 0.9


def test_the_scale() -> None:
    same = Confidence(**SLOPE_ONE)
    assert [same.of(p) for p in (0.1, 0.5, 0.9)] == pytest.approx([0.1, 0.5, 0.9])
    assert 0 <= Confidence(slope=50.0, intercept=-900.0).of(0.0) < same.of(1.0) <= 1
    assert (scaled(-2.5, "logprob"), scaled(0.5, "p_true")) == (-2.5, 0.0)
    assert 0 <= Confidence(signal="logprob", slope=1.0, intercept=0.0).of(-1e6) < 1e-9


def test_an_actor_without_a_judged_calibration_has_its_own_scale(
    writer: Any, shop: Path, measured: Callable[..., None]
) -> None:
    measured(None)
    assert answered(shop, writer, llm_critic="off") == (None, 0)
    own = Confidence(signal="logprob", **SLOPE_ONE)
    write_scale(
        ActorScale(actor="scripted", dataset="tiny", run="r0", databases=9, commit="c0", scale=own),
        user_folder() / "scripted.json",
    )
    sure = pytest.approx(1 / (1 + math.e))  # the script's log-probability is -1
    assert answered(shop, writer, llm_critic="off") == (sure, 0)
    measured(Confidence(signal="logprob", **SLOPE_ONE), actor="another")
    assert answered(shop, writer, llm_critic="off") == (sure, 0)
