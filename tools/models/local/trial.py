"""A first load in a process of its own, for unknown files: llama.cpp ends it on some damaged ones."""

import subprocess
import sys
from pathlib import Path

from critiql.tools.models.files.hashes import file_sha256
from critiql.tools.models.files.registry import registry
from critiql.tools.models.model import ModelError

SECONDS = 300.0
"""What the trial may take; a large model on a slow disk needs a minute."""
CHILD = "critiql.tools.models.local.trial_child"
"""What that process runs; a name, since the child needs everything that needs this file."""

tried: set[Path] = set()
"""Files that this process need not try again."""


def try_out(path: Path, adapter: Path | None = None) -> None:
    """Load a file in another process and compute one token, unless it is a registered model bit for bit.

    Args:
        path: the model.
        adapter: a LoRA adapter to put on it; it is what is tried then.

    Raises:
        ModelError: that process broke down, or did not end in time.
    """
    file = adapter or path
    if file in tried or file_sha256(file) in {record.sha256 for record in registry().models}:
        return
    command = [
        sys.executable,
        "-m",
        CHILD,
        *map(str, filter(None, (path, adapter))),
    ]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise ModelError(f"{file} did not load within {SECONDS:.0f} s. Name another model.") from error
    if done.returncode:
        reason = done.stderr.strip().rpartition("\n")[2].rpartition("/")[2] or f"code {done.returncode}"
        raise ModelError(
            f"{file} cannot be loaded: llama.cpp gave up on it ({reason}). The file is damaged, or was "
            "made to do harm; name another model."
        )
    tried.add(file)
