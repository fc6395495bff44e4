"""A first load in a process of its own, for unknown files: llama.cpp ends it on some damaged ones."""

import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from critiql.tools.models.hashes import file_sha256
from critiql.tools.models.model import ModelError
from critiql.tools.models.registry import registry

SECONDS = 300.0
"""What the trial may take; a large model on a slow disk needs a minute."""
TOKENS = 64
"""Context of the trial."""

tried: set[Path] = set()
"""Files that this process need not try again."""


def try_out(path: Path) -> None:
    """Load a file in another process and compute one token, unless it is a registered model bit for bit.

    Raises:
        ModelError: that process broke down, or did not end in time.
    """
    if path in tried or file_sha256(path) in {record.sha256 for record in registry().models}:
        return
    command = [sys.executable, "-m", "critiql.tools.models.trial", str(path)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise ModelError(f"{path} did not load within {SECONDS:.0f} s. Name another model.") from error
    if done.returncode:
        reason = done.stderr.strip().rpartition("\n")[2].rpartition("/")[2] or f"code {done.returncode}"
        raise ModelError(
            f"{path} cannot be loaded: llama.cpp gave up on it ({reason}). The file is damaged, or was "
            "made to do harm; name another model."
        )
    tried.add(path)


def main() -> None:
    """Load the file that the first argument names; what is merely wrong with it is said by who asked."""
    from critiql.tools.models import trial
    from critiql.tools.models.prefix_store import PrefixStore
    from critiql.tools.models.runtime import LlamaRuntime, Tokens

    path = Path(sys.argv[1])
    trial.tried.add(path)
    with suppress(ModelError):
        runtime = LlamaRuntime(path, TOKENS, prefixes=PrefixStore(None, 0))
        runtime.next_token_logits(Tokens((), tuple(runtime.weights.tokenise("a", begin=True))))


if __name__ == "__main__":
    main()
