"""What the command says of itself."""

from importlib.metadata import version

from typer.testing import CliRunner

from critiql.cli.main import COMMANDS, app


def test_it_says_its_version() -> None:
    said = CliRunner().invoke(app, ["--version"])
    assert (said.exit_code, said.output) == (0, f"critiql {version('critiql')}\n")


def test_its_help_names_every_command() -> None:
    said = CliRunner().invoke(app, ["--help"])
    assert said.exit_code == 0
    assert {name for name in COMMANDS if f" {name} " in said.output} == set(COMMANDS)
