"""The documents against the code: settings, commands, nodes, links."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from critiql.cli.main import COMMANDS, app
from critiql.cli.settings import page
from critiql.graphs.catalogue import GRAPHS, graph

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
WORDS = "\n".join(path.read_text(encoding="utf-8") for path in PAGES)


def test_settings_page_is_up_to_date() -> None:
    written = (ROOT / "docs/SETTINGS.md").read_text(encoding="utf-8")
    assert written == page(), "run: critiql settings --markdown > docs/SETTINGS.md"


def test_every_setting_says_what_it_is() -> None:
    rows = [line for line in page().splitlines() if line.startswith("| `")]
    assert len(rows) > 30
    assert [row for row in rows if row.rstrip(" |").endswith("|")] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_documented_and_has_help(command: str) -> None:
    assert f"critiql {command}" in WORDS
    shown = CliRunner().invoke(app, [command, "--help"])
    assert shown.exit_code == 0, shown.output
    assert "Usage" in shown.output


@pytest.mark.parametrize("name", GRAPHS)
def test_every_graph_and_node_is_documented(name: str) -> None:
    assert f"`{name}`" in WORDS
    for node in graph(name).nodes:
        assert node.startswith("__") or node in WORDS


@pytest.mark.parametrize("page_file", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(page_file: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", page_file.read_text(encoding="utf-8"))
    assert [link for link in links if not (page_file.parent / link).exists()] == []


def test_readme_names_both_set_up_commands_and_the_gate_runs_the_tests() -> None:
    readme = (ROOT / "README.md").read_text()
    assert "make ask Q=" in readme
    assert "make test" in readme
    assert "make check" in (ROOT / ".ci/run").read_text()
    assert re.search(r"^check:.*\btest\b", (ROOT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("page_file", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_tests_that_are_named_are_there(page_file: Path) -> None:
    named = set(re.findall(r"([\w/*]*test_\w+\.py)(?:::(test_\w+))?", page_file.read_text(encoding="utf-8")))
    assert [one for one in sorted(named) if not _is_there(*one)] == []


def _is_there(file: str, test: str) -> bool:
    """Whether a file ends like that, and has that test where one is named."""
    folders = [ROOT / "tests", ROOT / "evals"]  # the scorer by a test suite is called so too
    files = [*ROOT.glob(file), *(path for folder in folders for path in folder.rglob(file))]
    return any(not test or f"def {test}(" in path.read_text(encoding="utf-8") for path in files)
