"""What is collected where: the tests that import torch stay out of the quick part."""

from pathlib import Path

import pytest

HEAVY = "test_suffix_fit.py"


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Even to deselect its tests, collecting would import torch and peft: five seconds in every process."""
    return True if collection_path.name == HEAVY and "not slow" in config.option.markexpr else None
