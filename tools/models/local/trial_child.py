"""What the process of a first load does: load the model, and compute one token."""

import sys
from contextlib import suppress
from pathlib import Path

from critiql.tools.models.local import trial
from critiql.tools.models.local.prefix_store import PrefixStore
from critiql.tools.models.local.runtime import LlamaRuntime, Tokens
from critiql.tools.models.model import ModelError

TOKENS = 64
"""Context of the trial."""


def main() -> None:
    """Load the model that the first argument names, with the adapter that the second one names.

    What is merely wrong with them is said by who asked.
    """
    path, *adapters = map(Path, sys.argv[1:])
    trial.tried.update((path, *adapters))
    with suppress(ModelError):
        adapter = adapters[0] if adapters else None
        runtime = LlamaRuntime(path, TOKENS, prefixes=PrefixStore(None, 0), adapter=adapter)
        runtime.next_token_logits(Tokens((), tuple(runtime.weights.tokenise("a", begin=True))))


if __name__ == "__main__":
    main()
