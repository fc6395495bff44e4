"""The house: imports point one way, every package is in the wheel's list, nothing heavy at import."""

import ast
import subprocess
import sys
import tomllib
from collections import Counter
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("critiql", "prompts", "tools", "agent", "graphs", "server", "cli", "evals", "training")
BELOW = {
    "critiql": ("tools", "agent", "graphs"),
    "prompts": (),
    "tools": ("prompts",),
    "agent": ("prompts", "tools"),
    "graphs": ("prompts", "tools", "agent"),
    "server": ("prompts", "tools", "agent", "graphs"),
    "evals": ("prompts", "tools", "agent", "graphs"),
    "training": ("prompts", "tools", "agent", "graphs", "evals"),
    "cli": ("prompts", "tools", "agent", "graphs", "evals", "training", "server"),
}
"""What each folder may import beside itself."""

MODULES = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]


@cache
def import_statements(path: Path) -> list[ast.Import | ast.ImportFrom]:
    """Those of a file, wherever in it they stand."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]


def imported(path: Path) -> set[str]:
    """Top folders of `critiql` that a file imports."""
    names: set[str] = set()
    for node in import_statements(path):
        if isinstance(node, ast.ImportFrom) and node.module == "critiql":
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("critiql."):
            names.add(str(node.module).split(".")[1])
        elif isinstance(node, ast.Import):
            names |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("critiql.")}
    return names


def test_imports_point_one_way() -> None:
    upward = {}
    for path in MODULES:
        folder = path.relative_to(ROOT).parts[0]
        upward[str(path.relative_to(ROOT))] = imported(path) - {folder, *BELOW[folder]}
    assert {path: folders for path, folders in upward.items() if folders} == {}


def imported_modules(path: Path) -> set[str]:
    """Modules of `critiql` that a file imports."""
    names: set[str] = set()
    for node in import_statements(path):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("critiql."):
            names |= {f"{node.module}.{alias.name}" for alias in node.names} | {str(node.module)}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return names & NAMED.keys()


NAMED = {f"critiql.{'.'.join(path.relative_to(ROOT).with_suffix('').parts)}": path for path in MODULES}
"""Files by the name they are imported by; a package's own `__init__` imports nothing."""


def rooms(depth: int) -> dict[str, set[str]]:
    """Per room of that depth the rooms it imports from."""
    arrows: dict[str, set[str]] = {}
    for name, path in NAMED.items():
        own = room(name, depth)
        arrows.setdefault(own, set()).update({room(other, depth) for other in imported_modules(path)} - {own})
    return arrows


def room(name: str, depth: int) -> str:
    """The folder of a module, no deeper than that; the module itself where it lies higher."""
    return ".".join(name.split(".")[: depth + 1])


@pytest.mark.parametrize("depth", [2, 3, 9], ids=["rooms", "chambers", "files"])
def test_no_room_needs_one_that_needs_it(depth: int) -> None:
    arrows = rooms(depth)
    assert len(arrows) > 40
    TopologicalSorter(arrows).prepare()  # CycleError names the circle


def test_no_room_is_crowded() -> None:
    files = Counter(path.parent for path in MODULES if path.name != "__init__.py")
    assert {str(folder): count for folder, count in files.items() if count > 23} == {}


def test_every_package_is_listed() -> None:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    folders = {path.parent.relative_to(ROOT) for path in MODULES}
    names = {
        "critiql" if str(folder) == "critiql" else f"critiql.{'.'.join(folder.parts)}" for folder in folders
    }
    assert sorted(names) == sorted(listed)


HEAVY = ("llama_cpp", "openai", "torch", "transformers", "matplotlib")
GRAPH = "critiql.agent.models, critiql.cli.check, critiql.graphs.api, critiql.graphs.text_to_sql"
FROM_A_SERVER = (
    "critiql.agent.cost, critiql.agent.graph_contexts, critiql.cli.ask, critiql.cli.screen.failures, "
    "critiql.cli.screen.pulling, critiql.cli.screen.rows, critiql.cli.screen.trace, critiql.cli.warm, "
    "critiql.server.running"
)
"""What `critiql ask` needs where a server has the model loaded."""


@pytest.mark.process
@pytest.mark.parametrize(
    ("modules", "heavy"),
    [(GRAPH, HEAVY), (FROM_A_SERVER, (*HEAVY, "langgraph", "langchain_core", "sqlglot"))],
)
def test_importing_loads_nothing_in_vain(modules: str, heavy: tuple[str, ...]) -> None:
    code = f"import sys, {modules}; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
