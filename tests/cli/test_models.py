from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from critiql.cli import models
from critiql.cli.screen import pulling
from critiql.cli.screen.exit_codes import MODEL
from critiql.tools.models.files.registry import registry
from critiql.tools.models.files.store import stored_file
from critiql.tools.settings import settings

RECORD = registry().get("smollm2-135m-instruct")
RUNNER = CliRunner()


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("CRITIQL_MODELS", str(tmp_path))
    settings.cache_clear()
    yield tmp_path
    settings.cache_clear()


def test_every_model_is_listed_with_whether_it_is_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models._out, "width", 200)
    stored_file(RECORD).touch()
    rows = {
        cells[1]: cells[4]
        for line in RUNNER.invoke(models.app, ["list"]).output.splitlines()
        if len(cells := [cell.strip() for cell in line.split("│")]) > 4
    }
    known = (*registry().models, *registry().on_hub)
    adapters = {f"{model.name}+{one.role}": "yes" for model in registry().models for one in model.adapters}
    assert rows == {model.name: "yes" if model is RECORD else "no" for model in known} | adapters


def test_a_pull_says_where_the_model_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulling, "pull_model", lambda record, _: stored_file(record))
    result = RUNNER.invoke(models.app, ["pull", RECORD.name])
    assert result.exit_code == 0
    assert str(stored_file(RECORD)) in result.output


@pytest.mark.parametrize("command", ["pull", "verify", "remove"])
def test_an_unknown_name_is_a_sentence_and_an_exit_code(command: str) -> None:
    result = RUNNER.invoke(models.app, [command, "gpt-2"])
    assert result.exit_code == MODEL
    assert "Known names" in result.output
    assert "Traceback" not in result.output


def test_verify_tells_a_damaged_file() -> None:
    assert RUNNER.invoke(models.app, ["verify", RECORD.name]).exit_code == MODEL
    stored_file(RECORD).write_bytes(b"GGUF")
    result = RUNNER.invoke(models.app, ["verify", RECORD.name])
    assert result.exit_code == MODEL
    assert "incomplete" in result.output


def test_remove_says_whether_there_was_something() -> None:
    stored_file(RECORD).touch()
    outputs = [RUNNER.invoke(models.app, ["remove", RECORD.name]).output for _ in range(2)]
    assert outputs == [f"{RECORD.name} was removed.\n", f"{RECORD.name} was not here.\n"]
