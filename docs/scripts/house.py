"""What a commit's house looks like, beside another's: the table in ARCHITECTURE.md's history.

Usage: python docs/scripts/house.py BEFORE AFTER
"""

import ast
import io
import subprocess
import sys
import tarfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from prose import mean_words

LAYERS = ("prompts", "tools", "agent", "graphs", "critiql", "server", "evals", "training", "cli")
"""Folders of code; one may import what stands before it (tests/packaging/test_layers.py is stricter)."""

ONCE_FULL = ("evals", "agent", "tools/database", "tools/models", "tools/errors", "cli")
"""Folders that were the fullest before."""

Arrows = Mapping[str, set[str]]


def modules(root: Path) -> dict[str, Path]:
    """Files of code by the name they are imported by, packages' `__init__` aside."""
    files = [file for layer in LAYERS for file in (root / layer).rglob("*.py") if file.stem != "__init__"]
    return {".".join(file.relative_to(root).with_suffix("").parts): file for file in files}


def arrows(named: Mapping[str, Path]) -> dict[str, set[str]]:
    """Per file the files it imports, wherever in it that is written."""
    return {name: set(_imported(file)) & named.keys() - {name} for name, file in named.items()}


def upward(found: Arrows) -> int:
    """How many imports lead to a later layer."""
    place = {layer: number for number, layer in enumerate(LAYERS)}
    pairs = [(a.split(".")[0], b.split(".")[0]) for a, others in found.items() for b in others]
    return sum(place[a] < place[b] for a, b in pairs)


def circles(found: Arrows) -> list[int]:
    """Sizes of the groups whose members all lead to each other."""
    reached = {name: _reached(found, name) for name in found}
    groups = {frozenset(b for b in reached[a] if a in reached[b]) for a in found if a in reached[a]}
    return sorted(len(group) for group in groups)


def fullest(named: Mapping[str, Path], root: Path) -> str:
    """The folder with most files of code in itself."""
    (folder, count), *_ = Counter(file.parent for file in named.values()).most_common(1)
    return f"{count} (`{folder.relative_to(root)}/`)"


def described(root: Path) -> dict[str, str]:
    """Everything that is counted, in words."""
    named = modules(root)
    found = arrows(named)
    sizes = circles(found)
    full = Counter(str(file.parent.relative_to(root)) for file in named.values())
    text = [file.read_text(encoding="utf-8") for file in named.values()]
    return {
        "files of code": f"{len(named)}",
        "folders of code": f"{len({file.parent for file in named.values()})}",
        "most files in one folder": fullest(named, root),
        **{f"files in `{folder}/` itself": str(full[folder]) for folder in ONCE_FULL},
        "imports that point upward": str(upward(found)),
        "circles of imports": f"{len(sizes)}" + (f", of {sizes[-1]} files" if sizes else ""),
        "lines of code": f"{sum(len(one.splitlines()) for one in text):,}",
        "lines of README.md": f"{len((root / 'README.md').read_text(encoding='utf-8').splitlines())}",
        "lines of docs/RESULTS.md": f"{len((root / 'docs/RESULTS.md').read_text().splitlines())}",
        "words of a sentence in README.md": f"{mean_words((root / 'README.md').read_text()):.1f}",
        "words of a sentence in docs/RESULTS.md": f"{mean_words((root / 'docs/RESULTS.md').read_text()):.1f}",
    }


def deleted(before: str, after: str) -> int:
    """Lines of code of `before` that `after` no longer has, moves aside."""
    compared = ["git", "diff", "--numstat", "-M30%", before, after, "--", *LAYERS]
    rows = subprocess.run(compared, capture_output=True, text=True, check=True).stdout.splitlines()
    return sum(int(row.split("\t")[1]) for row in rows if row.endswith((".py", ".py}")))


def _imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("critiql"):
            module = str(node.module).removeprefix("critiql").removeprefix(".")
            yield module
            yield from (f"{module}.{alias.name}".removeprefix(".") for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name.removeprefix("critiql.") for alias in node.names)


def _reached(found: Arrows, start: str) -> set[str]:
    seen: set[str] = set()
    left = list(found[start])
    while left:
        name = left.pop()
        if name not in seen:
            seen.add(name)
            left += found[name]
    return seen


def _checked_out(commit: str, folder: Path) -> dict[str, str]:
    packed = subprocess.run(["git", "archive", commit], capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(folder, filter="data")
    return described(folder)


def main() -> None:
    """Print the table."""
    before, after = sys.argv[1:]
    with TemporaryDirectory() as one, TemporaryDirectory() as other:
        first, second = _checked_out(before, Path(one)), _checked_out(after, Path(other))
    rows = [(name, first[name], second[name]) for name in first]
    rows.append(("lines of code deleted or written anew", "", f"{deleted(before, after):,}"))
    sys.stdout.write(f"| | before ({before}) | after ({after}) |\n|---|---|---|\n")
    sys.stdout.writelines(f"| {' | '.join(row)} |\n" for row in rows)


if __name__ == "__main__":
    main()
