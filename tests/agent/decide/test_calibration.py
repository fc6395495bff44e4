from pathlib import Path

import pytest

from critiql.agent.decide.calibration import (
    Calibration,
    Confidence,
    Displacement,
    Interval,
    find_calibration,
    read_calibration,
    user_folder,
    write_calibration,
)
from critiql.agent.decide.record_files import CalibrationError

FIGURE = Interval(value=0.2, low=0.1, high=0.3, n=100)


def calibration(model: str = "m0", **changes: object) -> Calibration:
    fields: dict[str, object] = {
        "model": model,
        "model_name": "tiny",
        "actor": "m0",
        "prompt": "p0",
        "settings": "s0",
        "dataset": "tiny v1",
        "n": 100,
        "databases": 10,
        "commit": "c0",
        "enabled": True,
        "threshold": 0.4,
        "q": FIGURE,
        "s": FIGURE,
        "q_plus_s": FIGURE,
        "auc": FIGURE,
        "accuracy_without": FIGURE,
        "accuracy_with": FIGURE,
        "displacement": Displacement(weights={"p_true": 1.0}, margin=0.5, pairs=30, fixed=5, broken=1),
    }
    return Calibration.model_validate(fields | changes)


def test_a_written_calibration_is_found_by_model_and_prompt() -> None:
    assert find_calibration("m0", "p0") is None
    write_calibration(calibration(), user_folder() / "mine.json")
    assert find_calibration("m0", "p0") == calibration()
    assert find_calibration("m0", "p1") is None
    assert find_calibration("m1", "p0") is None


def test_the_users_own_goes_before_a_shipped_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("critiql.agent.decide.calibration.SHIPPED", tmp_path)
    write_calibration(calibration(threshold=0.9), tmp_path / "shipped.json")
    assert find_calibration("m0", "p0") == calibration(threshold=0.9)
    write_calibration(calibration(), user_folder() / "mine.json")
    assert find_calibration("m0", "p0") == calibration()


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "damaged.json"
    write_calibration(calibration(), path)
    path.write_text(path.read_text().replace('"threshold": 0.4', '"threshold": 4'))
    with pytest.raises(CalibrationError, match=r"damaged\.json[\s\S]*threshold[\s\S]*critiql calibrate"):
        read_calibration(path)


def weighing(p_true: float) -> Displacement:
    weights = {"agreement": 1.0, "p_true": p_true}
    return Displacement(weights=weights, margin=0.1, pairs=30, fixed=2, broken=1)


@pytest.mark.parametrize(
    ("change", "reads"),
    [
        ({}, False),
        ({"enabled": True}, True),
        ({"confidence": Confidence(signal="logprob", slope=1.0, intercept=0.0)}, False),
        ({"confidence": Confidence(slope=1.0, intercept=0.0)}, True),
        ({"displacement": weighing(0.0)}, False),
        ({"displacement": weighing(0.1)}, True),
    ],
)
def test_what_gives_a_reading_a_say(change: dict[str, object], reads: bool) -> None:
    bare = {"enabled": False, "confidence": None, "displacement": None}
    assert calibration(**bare | change).reads is reads
