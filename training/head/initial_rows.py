"""The head's initial rows of a local model: the mean embedding of each type's words (equation 11)."""

from pathlib import Path

import numpy as np

from critiql.tools.arrays import Floats
from critiql.tools.errors.head import init_rows
from critiql.tools.errors.types.catalogue import ERROR_TYPES, NULL_KEYWORDS
from critiql.tools.models.local.embeddings import token_rows
from critiql.tools.models.local.weights import Weights


def initial_rows(path: Path) -> Floats:
    """Rows of shape (ROWS, d), from the output layer of a GGUF; a word of several tokens is their mean.

    Raises:
        ModelError: the file cannot be read.
    """
    words = sorted({*NULL_KEYWORDS, *(word for error in ERROR_TYPES for word in error.keywords)})
    weights = Weights(path)
    try:
        # as it stands within a sentence, where most vocabularies have one token for it
        tokens = {word: weights.tokenise(f" {word}") for word in words}
    finally:
        weights.close()
    flat = sorted({token for found in tokens.values() for token in found})
    rows = dict(zip(flat, token_rows(path, flat), strict=True))
    means = {word: np.mean([rows[token] for token in found], axis=0) for word, found in tokens.items()}
    return init_rows(means.get)
