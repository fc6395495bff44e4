"""Clients of the Model Context Protocol that others wrote: mcp 1.x of its own environment, the inspector.

Both come from a package registry; where there is none, or no Node, the tests are skipped and say why.
"""

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from scripted_endpoint import script
from served import CUSTOMERS, HOW_MANY, Served, serving_sample

pytestmark = [pytest.mark.server, pytest.mark.slow, pytest.mark.enable_socket]

TOKEN = "a-token-of-the-tests"
CLIENT = Path(__file__).parents[1] / "servers/mcp1_client.py"
INSPECTOR = "@modelcontextprotocol/inspector-cli@1.0.3"
"""The last one for Node 20."""
TOOLS = {"ask", "run", "check", "refine", "explain", "describe"}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving_sample(
        tmp_path_factory.mktemp("clients"), "--token", TOKEN, environment={"CRITIQL_TOKEN": TOKEN}
    ) as place:
        yield place


def stdio_command(served: Served) -> list[str]:
    return [script("critiql"), "mcp", "--db", f"music={served.database}", "--model", served.model]


@pytest.fixture(scope="module")
def old_python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A Python with mcp 1.x: CRITIQL_MCP1_PYTHON, or one that is made now."""
    if given := os.environ.get("CRITIQL_MCP1_PYTHON"):
        return given
    folder = tmp_path_factory.mktemp("mcp1")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    command = [folder / "bin/pip", "install", "--quiet", "mcp<2"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"mcp 1.x cannot be installed: {done.stderr[-200:]}")
    return str(folder / "bin/python")


@pytest.mark.parametrize("way", ["http", "stdio"])
def test_a_client_of_the_first_version(way: str, served: Served, old_python: str) -> None:
    where = [f"{served.url}/mcp", TOKEN] if way == "http" else stdio_command(served)
    done = subprocess.run(
        [old_python, str(CLIENT), way, *where], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    seen: dict[str, Any] = json.loads(done.stdout)
    assert seen["version"].startswith("1.")
    assert set(seen["tools"]) == TOOLS
    assert seen["rows"] == [[250]]
    assert any(CUSTOMERS in line for line in seen["told"]), "progress before the answer"
    assert seen["refused"][0]
    assert "is served here" in seen["refused"][1]
    assert "CREATE TABLE customers" in seen["table"]


@pytest.fixture(scope="module")
def inspector(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The inspector's command line: CRITIQL_INSPECTOR, or one that npm installs now."""
    if given := os.environ.get("CRITIQL_INSPECTOR"):
        return [given]
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("needs Node 20")
    folder = tmp_path_factory.mktemp("inspector")
    command = [
        npm,
        "install",
        "--no-audit",
        "--no-fund",
        "--ignore-scripts",
        "--prefix",
        str(folder),
        INSPECTOR,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"the inspector cannot be installed: {done.stderr[-200:]}")
    return [str(folder / "node_modules/.bin/mcp-inspector-cli")]


def inspect(inspector: list[str], served: Served, *arguments: str) -> dict[str, Any]:
    """What the inspector prints. It looks for its own package.json from the folder it runs in."""
    done = subprocess.run(
        [*inspector, "--cli", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env=served.environment,
        cwd=Path(inspector[0]).resolve().parent,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("way", ["http", "stdio"])
def test_the_inspector(way: str, served: Served, inspector: list[str], tmp_path: Path) -> None:
    """It shows no progress; with a token for it the server tells it, as is seen on standard output."""
    wire = tmp_path / "wire.jsonl"
    if way == "http":
        where = [f"{served.url}/mcp", "--transport", "http", "--header", f"Authorization: Bearer {TOKEN}"]
    else:
        where = ["sh", "-c", f"{shlex.join(stdio_command(served))} | tee {shlex.quote(str(wire))}"]
    listed = inspect(inspector, served, *where, "--method", "tools/list")["tools"]
    assert {tool["name"] for tool in listed} == TOOLS
    assert inspect(inspector, served, *where, "--method", "resources/templates/list")["resourceTemplates"]
    asked = ["--method", "tools/call", "--tool-name", "ask", "--tool-arg", f"question={HOW_MANY}"]
    answered = inspect(inspector, served, *where, *asked, "--tool-metadata", "progressToken=one")
    assert answered["structuredContent"]["rows"] == [[250]]
    if way == "stdio":
        sent = [json.loads(line) for line in wire.read_text().splitlines()]
        told = [each["params"]["message"] for each in sent if each.get("method") == "notifications/progress"]
        assert any(CUSTOMERS in line for line in told)
        assert "structuredContent" in sent[-1]["result"], "progress before the answer"
