from pathlib import Path
from typing import Any

import pytest

from critiql.tools.models.factory import load_model, make_model, use_model
from critiql.tools.models.model import ModelError

PREPARED: Any = object()


def test_a_prepared_model_stands_for_its_name_in_its_block() -> None:
    with use_model("prepared", PREPARED) as model:
        assert load_model("prepared") is model is PREPARED
        with use_model("prepared", Any):
            assert load_model("prepared") is Any
        assert load_model("prepared") is PREPARED
    with pytest.raises(ModelError, match="no model called 'prepared'"):
        load_model("prepared")


def test_a_file_that_is_no_model_is_a_model_error(tmp_path: Path) -> None:
    (tmp_path / "not.gguf").write_text("<html>")
    with pytest.raises(ModelError, match="not a GGUF file"):
        load_model(str(tmp_path / "not.gguf"))


def test_a_hosted_model_is_made_without_a_call() -> None:
    spec = "openai:some@http://127.0.0.1:9/v1"
    assert load_model(spec) is load_model(spec)
    assert load_model(spec).name == load_model(spec).fingerprint == spec


def test_the_model_itself_can_be_had_behind_a_prepared_one() -> None:
    spec = "openai:some@http://127.0.0.1:9/v1"
    with use_model(spec, PREPARED):
        assert make_model(spec) is not PREPARED
        assert make_model(spec).name == spec


@pytest.mark.model
def test_one_file_is_loaded_once_whatever_it_is_called(small_model_path: Path) -> None:
    by_name: Any = load_model("smollm2-135m-instruct")
    by_path: Any = load_model(str(small_model_path))
    assert by_name is load_model("smollm2-135m-instruct")
    assert by_name.runtime is by_path.runtime
    assert make_model("smollm2-135m-instruct") is not by_name
    assert make_model("smollm2-135m-instruct").runtime is by_name.runtime  # type: ignore[attr-defined]
    assert by_name.fingerprint == by_path.fingerprint == "b179c9523d0e"
