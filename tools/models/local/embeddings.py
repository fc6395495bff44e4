"""Rows of a GGUF's output layer: what a token looks like to the final hidden state.

Read with the gguf package from the file alone, so that no runtime has to show its weights; only the rows
asked for are dequantised.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from gguf import GGUFReader
from gguf.quants import dequantize
from numpy.typing import NDArray

from critiql.tools.models.model import ModelError

TENSORS = ("output.weight", "token_embd.weight")
"""The output layer; a model that ties it to its input embeddings has only those."""


def token_rows(path: Path, tokens: Sequence[int]) -> NDArray[np.float32]:
    """The output layer's rows of some tokens, shape (n, embedding size).

    Raises:
        ModelError: the file is no GGUF, or has no such tensor.
    """
    try:
        tensors = {tensor.name: tensor for tensor in GGUFReader(path).tensors}
    except (OSError, ValueError) as error:
        raise ModelError(f"The token embeddings of {path} cannot be read: {error}.") from error
    found = next((tensors[name] for name in TENSORS if name in tensors), None)
    if found is None:
        raise ModelError(f"{path} has no token embeddings; it holds no {' and no '.join(TENSORS)}.")
    return np.asarray(dequantize(found.data[list(tokens)], found.tensor_type), np.float32)
