"""Where a number comes from: the commit, the code and prompts that answered, the machine."""

import os
import platform
import subprocess
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

from critiql import prompts
from critiql.tools.models.local.machine import memory

ANSWERING = ("agent", "graphs", "tools")
"""Packages whose code decides an answer."""


def prompt_digests() -> dict[str, str]:
    """Digest per prompt file."""
    return {name: prompts.load(name).digest for name in prompts.names()}


@cache
def code_digest() -> str:
    """First 12 hex digits of a digest over the code and data that answer, whether committed or not."""
    digest = sha256()
    for package in ANSWERING:
        for folder in _folders(package):
            for path in sorted(_sources(folder)):
                digest.update(f"{package}/{path.relative_to(folder)}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:12]


@cache
def commit() -> str:
    """Commit of the work tree, marked `+` when files differ from it; `unknown` outside a work tree."""
    folder = Path(prompts.__file__).parent
    revision = _git(folder, "rev-parse", "--short=12", "HEAD")
    if revision is None:
        return "unknown"
    return f"{revision}+" if _git(folder, "status", "--porcelain", "--untracked-files=no", "..") else revision


@cache
def machine() -> str:
    """Processor, cores, memory and Python of this machine, without its name."""
    gigabytes = memory() / 2**30
    cores = len(os.sched_getaffinity(0))
    return f"{_processor()}, cores: {cores}, {gigabytes:.0f} GiB, Python {platform.python_version()}"


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.is_file() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def _folders(package: str) -> Iterator[Path]:
    spec = find_spec(f"critiql.{package}")
    yield from map(Path, (spec.submodule_search_locations or []) if spec else [])


def _sources(folder: Path) -> Iterator[Path]:
    return (p for p in folder.rglob("*") if p.is_file() and "__pycache__" not in p.parts)


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True, timeout=20
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
