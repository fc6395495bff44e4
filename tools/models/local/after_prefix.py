"""Adapters that act after the prefix: how a file says that it is one."""

import struct
from pathlib import Path

INVOCATION = "adapter.alora.invocation_tokens"
"""The key of a GGUF that names the tokens from which an adapter acts (activated LoRA, arXiv 2504.12397)."""
_HEADER_BYTES = 65_536
"""More than what an adapter says of itself, which stands before its weights."""
_ARRAY = 9
"""The number of the type of lists in a GGUF."""


def acts_after_prefix(adapter: Path) -> bool:
    """Whether an adapter leaves the prefix as the model computes it, so that all roles share its state.

    Only the header is looked at, by its bytes: a damaged file is refused when it is loaded.
    """
    key = INVOCATION.encode()
    entry = struct.pack(f"<Q{len(key)}sI", len(key), key, _ARRAY)
    try:
        with adapter.open("rb") as file:
            return entry in file.read(_HEADER_BYTES)
    except OSError:
        return False
