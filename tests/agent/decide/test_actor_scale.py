"""Scales of confidence that belong to an actor: found by model and prompt, the user's own first."""

from pathlib import Path

import pytest

from critiql import prompts
from critiql.agent.decide import actor_scale
from critiql.agent.decide.actor_scale import ActorScale, find_scale, read_scale, user_folder, write_scale
from critiql.agent.decide.calibration import Confidence
from critiql.agent.decide.record_files import CalibrationError


def scale(slope: float = 1.0, actor: str = "small") -> ActorScale:
    fitted = Confidence(signal="logprob", prompt="p0", slope=slope, intercept=2.0, n=200)
    return ActorScale(actor=actor, dataset="tiny", run="r0", databases=20, commit="c0", scale=fitted)


def test_it_is_found_by_actor_and_prompt() -> None:
    assert find_scale("small", "p0") is None
    write_scale(scale(), user_folder() / "mine.json")
    assert find_scale("small", "p0") == scale().scale
    assert find_scale("small", "p1") is None
    assert find_scale("other", "p0") is None


def test_the_users_own_goes_before_a_shipped_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actor_scale, "SHIPPED", tmp_path)
    write_scale(scale(3.0), tmp_path / "shipped.json")
    assert find_scale("small", "p0") == scale(3.0).scale
    write_scale(scale(), user_folder() / "mine.json")
    assert find_scale("small", "p0") == scale().scale


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "damaged.json"
    write_scale(scale(), path)
    path.write_text(path.read_text().replace('"slope": 1.0', '"slope": "steep"'))
    with pytest.raises(CalibrationError, match=r"damaged\.json[\s\S]*slope[\s\S]*critiql eval confidence"):
        read_scale(path)


def test_those_that_are_shipped_are_of_the_prompt_in_use() -> None:
    shipped = [read_scale(file) for file in sorted(actor_scale.SHIPPED.glob("*.json"))]
    assert len(shipped) == len({one.actor for one in shipped}) >= 2
    for one in shipped:
        fitted = one.scale
        assert fitted.prompt == prompts.load("actor").digest
        assert fitted.brier is not None
        assert fitted.brier_constant is not None
        assert fitted.brier < fitted.brier_constant
