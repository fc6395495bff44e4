"""critiql mcp: what clients are configured with, and errors before anything is served."""

import json

import pytest
from typer.testing import CliRunner

from critiql.cli.main import app
from critiql.cli.screen import exit_codes


def test_the_configuration_can_be_pasted() -> None:
    done = CliRunner().invoke(app, ["mcp", "--db", "shop=shop.sqlite", "--print-config"])
    assert done.exit_code == exit_codes.OK
    first = done.stdout.partition("\n")[2].partition("\n\n")[0]
    server = json.loads(first)["mcpServers"]["critiql"]
    assert server["args"][:2] == ["mcp", "--db"]
    assert server["args"][2].startswith("shop=/"), "a client starts it in a folder of its own"
    assert "claude mcp add critiql -- " in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["mcp", "--db", "/nowhere.sqlite"], exit_codes.DATABASE, "There is no file"),
        (["serve", "--db", "/nowhere.sqlite"], exit_codes.DATABASE, "There is no file"),
        (["serve", "--host", "192.0.2.1"], exit_codes.USAGE, "token is required"),
        (["serve", "--host", "192.0.2.1", "--token", "short"], exit_codes.USAGE, "at least 16"),
        (["mcp", "--http", "--host", "0.0.0.0"], exit_codes.USAGE, "token is required"),
    ],
)
def test_errors_are_sentences(arguments: list[str], code: int, said: str) -> None:
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == code
    assert said in done.output
    assert "Traceback" not in done.output
