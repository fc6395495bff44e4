"""The environment and a file of settings with any content: a command answers, or says what is wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from critiql.cli.main import app
from critiql.tools.settings import Settings, settings

pytestmark = pytest.mark.fuzz

TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=12)
VALUES = TEXTS | st.sampled_from(
    ["-1", "1e999", "nan", "~nobody/x", "/dev/null", "/proc/self/mem", "x" * 5000]
)
NAMES = st.sampled_from([f"CRITIQL_{name}".upper() for name in Settings.model_fields])


@given(
    given_names=st.dictionaries(NAMES, VALUES, max_size=2),
    lines=st.binary(max_size=40) | st.tuples(NAMES, VALUES).map(lambda pair: f"{pair[0]}={pair[1]}".encode()),
)
def test_a_command_starts_or_says_why_not(
    given_names: dict[str, str], lines: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("place")
    (folder / ".env").write_bytes(lines)
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.chdir(folder)
        monkeypatch.setenv("CRITIQL_ENV_FILE", ".env")
        for name, value in given_names.items():
            monkeypatch.setenv(name, value)
        settings.cache_clear()
        done = CliRunner().invoke(app, ["models", "list"])
        settings.cache_clear()
    assert done.exception is None or isinstance(done.exception, SystemExit), repr(done.exception)
    assert done.exit_code in (0, 2, 4), done.output
    assert "Traceback" not in done.output
