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
    for name, value in case.get("environment", {}).items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 2, done.output
    assert case["says"] in " ".join(done.stderr.split())
    assert "Traceback" not in done.output
