"""Fixtures every test may use: an empty home, and no way out."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ["LANGSMITH_TRACING"] = "false"


@pytest.fixture(autouse=True)
def empty_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Caches, stores and settings go to a folder of the test's own, never to the developer's home."""
    home = tmp_path_factory.mktemp("home")
    for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(home / name.lower()))
    yield home
