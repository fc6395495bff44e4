"""The files of `deploy/` say the same as those that they go by."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from critiql.server.serve import KEEP_ALIVE

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
LEFT_OUT = {"llama-cpp-python"}
"""Models are asked over HTTP."""


def names(lines: list[str]) -> dict[str, str]:
    """Requirements by name."""
    found = (re.match(r"([A-Za-z0-9-]+)(.*)", line) for line in lines)
    return {match[1]: line for match, line in zip(found, lines, strict=True) if match}


def test_the_same_graphs_as_on_one_machine() -> None:
    own, small = (
        json.loads(path.read_text())["graphs"] for path in (DEPLOY / "aegra.json", ROOT / "langgraph.json")
    )
    assert {name: graph["description"] for name, graph in own.items()} == {
        name: graph["description"] for name, graph in small.items()
    }
    shim = (DEPLOY / "graphs.py").read_text()
    for name, graph in own.items():
        assert graph["path"] == f"./graphs.py:{name}"
        assert f"from critiql.graphs.{name} import graph as {name}\n" in shim


def test_an_instance_has_what_critiql_needs_and_no_model_in_it() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = (DEPLOY / "requirements.txt").read_text().splitlines()
    installed = names([line for line in lines if not line.startswith("#")])
    needed = names([*project["dependencies"], *project["optional-dependencies"]["postgres"]])
    assert LEFT_OUT.isdisjoint(installed)
    assert {name: installed.get(name) for name in needed if name not in LEFT_OUT} == {
        name: line for name, line in needed.items() if name not in LEFT_OUT
    }


def test_an_idle_connection_stays_open_as_long_everywhere() -> None:
    assert f'"--timeout-keep-alive", "{KEEP_ALIVE}"' in (DEPLOY / "Dockerfile").read_text()
    assert f"\nKEEP_ALIVE = {KEEP_ALIVE}\n" in (DEPLOY / "parts.py").read_text()


@pytest.fixture
def compose() -> Any:
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]


def test_every_instance_is_told_the_same(compose: Any) -> None:
    told = [service["environment"] for name, service in compose.items() if name.startswith("instance")]
    assert len(told) == 2
    assert told[0] == told[1]
    assert set(json.loads(re.sub(r"\$\{[^}]*\}", "x", told[0]["CRITIQL_SERVED"]))) <= {
        "databases",
        "models",
        "token",
        "hosts",
    }


def test_nothing_of_the_containers_is_open_to_the_network(compose: Any) -> None:
    ports = [port for service in compose.values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_files_that_are_named_are_there(compose: Any) -> None:
    named = [v.split(":")[0] for s in compose.values() for v in s.get("volumes", []) if v.startswith("./")]
    assert named
    assert [name for name in named if not (DEPLOY / name).exists()] == []
