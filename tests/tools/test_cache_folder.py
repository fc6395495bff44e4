"""The cache folder found without the settings is the one that they name."""

from pathlib import Path

import pytest

from critiql.tools.cache_folder import cache_folder
from critiql.tools.settings import SettingsError, settings

PLACES = [
    {},
    {"CRITIQL_CACHE": "/somewhere/else"},
    {"critiql_cache": "/in/small/letters"},
    {"CRITIQL_ENV_FILE": "{folder}/own.env"},
    {"XDG_CACHE_HOME": "{folder}/xdg"},
]


def test_it_is_what_the_settings_say(tmp_path: Path) -> None:
    (tmp_path / "own.env").write_text("CRITIQL_CACHE=/from/a/file\n")
    found = []
    for place in PLACES:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in place.items():
                patch.setenv(name, value.format(folder=tmp_path))
            settings.cache_clear()
            assert cache_folder() == settings().cache, place
            found.append(cache_folder())
    assert len(set(found)) == len(PLACES)


def test_a_setting_that_cannot_be_read_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRITIQL_CACHE", "x" * 5000)
    settings.cache_clear()
    with pytest.raises(SettingsError, match="CRITIQL_CACHE"):
        cache_folder()
