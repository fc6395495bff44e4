"""Standard input, output and error of a command: closed, full, or of a poor encoding."""

import errno
import os
import sys
from collections.abc import Callable
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from critiql.cli.screen import exit_codes

UNWRITABLE = (errno.ENOSPC, errno.EIO, errno.EPIPE, errno.EBADF, errno.EFBIG, errno.EDQUOT)
"""What a write to a full disk, a closed pipe or a broken device says."""


def run_with_streams(command: Callable[[], Any]) -> None:
    """Run a command; an output that cannot be written is a sentence and an exit code, no stack trace.

    Raises:
        SystemExit: always.
    """
    _open_closed()
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace" if stream is sys.stdin else "backslashreplace")
    code: Any = exit_codes.OK
    try:
        command()
    except SystemExit as left:
        code = left.code
    except OSError as error:
        if error.errno not in UNWRITABLE or error.filename is not None:
            raise
        code = _said(error)
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as error:
        code = _said(error)
    sys.exit(code)


def says_everything() -> bool:
    """Whether standard output is in an encoding that has every character."""
    encoding = (getattr(sys.stdout, "encoding", None) or "utf-8").replace("-", "").casefold()
    return encoding.startswith("utf")


def _open_closed() -> None:
    """Let nothing but the null device have the place of a closed stream: a database file might take it."""
    null = os.open(os.devnull, os.O_RDWR)
    while null <= 2:
        null = os.dup(null)
    os.close(null)
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 - stays open


def _said(error: OSError) -> int:
    """Say it on standard error, and let Python's last look at the output find nothing left to write."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    if error.errno != errno.EPIPE:  # who closes a pipe has read enough
        os.write(2, f"The output could not be written: {error.strerror}.\n".encode())
    return exit_codes.FAILED
