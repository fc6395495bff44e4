"""The tutorial as a reader follows it: its files are written, its commands run, their output compared."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from typer.testing import CliRunner

from critiql.cli.main import app

pytestmark = pytest.mark.whole

PAGE = (Path(__file__).parents[2] / "docs/TUTORIAL.md").read_text(encoding="utf-8")
NEEDS_MODEL = ("ask", "refine", "eval")


class Command(NamedTuple):
    """A command of the page, and what the page says it prints."""

    line: str
    output: list[str]

    @property
    def needs_model(self) -> bool:
        return any(self.line.startswith(f"critiql {name}") for name in NEEDS_MODEL)


def _commands() -> Iterator[Command]:
    """The commands of all console blocks, in their order."""
    for block in re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL):
        for part in block.split("$ ")[1:]:
            line, *output = part.splitlines()
            yield Command(line, [kept.rstrip() for kept in output if kept.strip()])


def _files() -> dict[str, str]:
    """Every file that the reader is asked to save."""
    named = re.findall(r"(?:S|s)ave[^`]*`([\w.]+)`[^`]*?\n\n?```\w+\n(.*?)```", PAGE, re.DOTALL)
    return dict(named)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The reader's folder, with the files of the page."""
    for name, text in _files().items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    return tmp_path


def test_the_page_has_its_files_and_commands() -> None:
    assert set(_files()) == {"albums.csv", "answer.py", "pairs.csv", "own.csv"}
    assert len(list(_commands())) >= 14
    assert sum(command.needs_model for command in _commands()) >= 7


def test_commands_without_a_model_print_what_the_page_says(folder: Path) -> None:
    for command in _commands():
        if not command.needs_model:
            printed = _here(command.line) if command.line.startswith("critiql ") else _run(command.line)
            assert printed == command.output, command.line


@pytest.mark.model
def test_commands_with_the_model_print_the_rows_of_the_page(folder: Path) -> None:
    for command in _commands():
        printed = _run(command.line)
        if command.needs_model:
            assert _rows(printed) == _rows(command.output), command.line
    assert (folder / "report/index.html").exists()
    shown = _run("python answer.py")
    assert "[['Mira Holt', 5600]]" in shown
    assert "['attribute_mismatch']" in shown
    assert shown[-1].startswith("There is no file")


def _here(line: str) -> list[str]:
    """Run a command of ours in this process; a refused statement is no failure."""
    done = CliRunner().invoke(app, shlex.split(line)[1:])
    assert done.exit_code in (0, 1), done.output
    return [kept.rstrip() for kept in done.output.splitlines() if kept.strip()]


def _run(line: str) -> list[str]:
    """Run it as the reader's shell does, with this installation first on the path."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        line, shell=True, env=os.environ | {"PATH": path}, text=True, capture_output=True, check=False
    )
    assert done.returncode in (0, 1), done.stderr
    return [kept.rstrip() for kept in done.stdout.splitlines() if kept.strip()]


def _rows(lines: list[str]) -> list[str]:
    """Lines with cells, without ids of runs: those belong to the code that answered."""
    return [re.sub(r"\([0-9a-f]{12}\)", "(id)", line) for line in lines if line.startswith("│")]
