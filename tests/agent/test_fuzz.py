"""Settings of a run and calibrations with any content: read, or refused in a sentence."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from critiql.agent.context import Context
from critiql.agent.decide.calibration import Calibration, read_calibration
from critiql.agent.decide.record_files import CalibrationError

pytestmark = pytest.mark.fuzz

FIGURE = {"value": 0.2, "low": 0.1, "high": 0.3, "n": 100}
FIGURES = ("q", "s", "q_plus_s", "auc", "accuracy_without", "accuracy_with")
TEXTS = ("model", "model_name", "actor", "prompt", "settings", "dataset", "commit")
CALIBRATION = {
    **dict.fromkeys(TEXTS, "x"),
    **dict.fromkeys(FIGURES, FIGURE),
    "version": 1,
    "n": 100,
    "databases": 10,
    "enabled": True,
    "threshold": 0.4,
    "displacement": {"weights": {"p_true": 1.0}, "margin": 0.5, "pairs": 3, "fixed": 2, "broken": 1},
    "confidence": {"slope": 1.0, "intercept": 0.1},
}
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from([1e308, -1e308]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)


@given(
    part=st.sampled_from(["", "confidence", "displacement", "q"]),
    changes=st.dictionaries(
        st.sampled_from([*CALIBRATION, *FIGURE, "slope", "intercept", "weights", "more"]), VALUES, max_size=2
    ),
    reading=st.floats(0, 1),
    noise=st.binary(max_size=3),
)
def test_a_calibration_is_read_or_refused(
    part: str, changes: dict[str, Any], reading: float, noise: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    document: dict[str, Any] = json.loads(json.dumps(CALIBRATION))
    (document[part] if part else document).update(changes)
    file = tmp_path_factory.mktemp("calibration") / "one.json"
    file.write_bytes(json.dumps(document).encode() + noise)
    try:
        found = read_calibration(file)
    except CalibrationError:
        return
    assert isinstance(found, Calibration)
    if found.confidence:
        assert 0 <= found.confidence.of(reading) <= 1


@given(st.dictionaries(st.sampled_from([*Context.model_fields, "rounds"]), VALUES, max_size=3))
def test_settings_of_a_run_are_read_or_refused(given_settings: dict[str, Any]) -> None:
    try:
        found = Context.model_validate(given_settings)
    except ValidationError:
        return
    assert Context.model_validate_json(found.model_dump_json()) == found
    assert found.temperature(99) >= 0
