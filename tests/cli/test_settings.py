"""A wrong setting of the machine: a sentence and exit code 2, whatever the command."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from critiql.cli.main import app
from critiql.tools.settings import settings

FIXTURES = Path(__file__).parents[1] / "fixtures" / "cli"
CASES = [json.loads(line) for line in (FIXTURES / "bad_settings.jsonl").read_text("utf-8").splitlines()]


@pytest.mark.parametrize("command", [["models", "list"], ["ask", "How many?"]], ids=["models", "ask"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_wrong_setting(
    case: dict[str, Any], command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_bytes(bytes.fromhex(case.get("bytes", "")) + case.get("file", "").encode())
    monkeypatch.chdir(tmp_path)
    if "file" in case or "bytes" in case:
        monkeypatch.setenv("CRITIQL_ENV_FILE", ".env")
    for name, value in case.get("environment", {}).items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 2, done.output
    assert case["says"] in " ".join(done.stderr.split())
    assert "Traceback" not in done.output


HOSTILE = """
CRITIQL_OPENAI_BASE_URL=http://elsewhere/v1
CRITIQL_OPENAI_API_KEY=theirs
CRITIQL_CACHE=/tmp/theirs
CRITIQL_MODELS=/tmp/theirs
"""


@pytest.fixture
def hostile_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that somebody else wrote, as the working directory."""
    (tmp_path / ".env").write_text(HOSTILE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CRITIQL_OPENAI_API_KEY", "sk-mine-12345")
    settings.cache_clear()
    return tmp_path


def test_a_folder_does_not_move_key_endpoint_or_stores(hostile_folder: Path) -> None:
    found = settings()
    assert found.openai_base_url is None
    assert found.openai_api_key is not None
    assert found.openai_api_key.get_secret_value() == "sk-mine-12345"
    assert "theirs" not in f"{found.cache} {found.models}"
    done = CliRunner().invoke(app, ["models", "list"])
    assert f"{hostile_folder / '.env'} are not read" in done.stderr.replace("\n", "")
    assert "export CRITIQL_ENV_FILE=.env" in done.stderr


def test_a_file_is_read_where_the_user_names_it(
    hostile_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRITIQL_ENV_FILE", str(hostile_folder / ".env"))
    settings.cache_clear()
    assert settings().openai_base_url == "http://elsewhere/v1"
    assert "not read" not in CliRunner().invoke(app, ["models", "list"]).stderr


def test_a_named_file_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CRITIQL_ENV_FILE", str(tmp_path / "none.env"))
    settings.cache_clear()
    done = CliRunner().invoke(app, ["models", "list"])
    assert done.exit_code == 2
    assert "none.env cannot be read" in done.stderr.replace("\n", "")
