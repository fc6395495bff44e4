"""What the tests of the models share: a small real model, found in the local store or skipped."""

from functools import cache
from pathlib import Path

import pytest

from critiql.tools.models.files.store import resolve
from critiql.tools.models.model import ModelError

SMALL = "smollm2-135m-instruct"


@pytest.fixture
def small_model_path(empty_home: Path) -> Path:
    return _path(SMALL)


@pytest.fixture
def coder_model_path(empty_home: Path) -> Path:
    return _path("qwen2.5-coder-0.5b-instruct")


@cache
def _path(name: str) -> Path:
    try:
        return resolve(name)
    except ModelError as error:
        pytest.skip(str(error))
