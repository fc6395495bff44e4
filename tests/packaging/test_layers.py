"""The house: imports point one way, every package is in the wheel's list, nothing heavy at import."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("prompts", "tools", "agent", "graphs", "server", "cli", "evals", "training")
BELOW = {
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


def imported(path: Path) -> set[str]:
    """Top folders of `critiql` that a file imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "critiql":
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("critiql."):
            names.add(str(node.module).split(".")[1])
        elif isinstance(node, ast.Import):
            names |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("critiql.")}
    return names


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_one_way(path: Path) -> None:
    folder = path.relative_to(ROOT).parts[0]
    assert imported(path) <= {folder, *BELOW[folder]}


def test_every_package_is_listed() -> None:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    folders = {path.parent.relative_to(ROOT) for path in MODULES}
    assert sorted(f"critiql.{'.'.join(folder.parts)}" for folder in folders) == sorted(listed)


@pytest.mark.parametrize("module", ["critiql.graphs.text_to_sql", "critiql.graphs.api", "critiql.cli.check"])
def test_importing_loads_no_model_and_no_server_library(module: str) -> None:
    heavy = ("llama_cpp", "openai", "torch", "matplotlib")
    code = f"import sys, {module}; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
