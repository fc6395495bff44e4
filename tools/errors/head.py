"""The error-token head: a few rows that turn a hidden state into probabilities of error types.

ErrorLLM adds reserved tokens to the output layer and decodes under the constraint that only they may come
next (section 3.3, equations 11 and 19). A local model's weights stay untouched here: the rows live in a file
of their own and are multiplied with the final hidden state of the detector's prompt.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from critiql.tools.arrays import Flags, Floats
from critiql.tools.errors.types.catalogue import ERROR_TYPES, NULL_KEYWORDS, RESERVED
from critiql.tools.models.model import ModelError

NULL = 0
"""Row of the null token, No Error."""
ROWS = RESERVED + 1
"""Rows of the head: the null token and N = 32 reserved error tokens."""
SHARE = 0.5
"""Of the most probable type's probability: types below it are not said."""


class HeadError(ModelError):
    """A head cannot be read or does not fit. The message says what happened and what to do."""


@dataclass(frozen=True, eq=False)
class Head:
    """The error-token head of one model and one prompt."""

    weights: Floats
    """Shape (ROWS, d); row 0 is the null token, row k the error type of number k."""
    bias: Floats
    """Shape (ROWS,)."""
    thresholds: Floats
    """Shape (ROWS,): a token holds when its sigmoid is at least this; above 1 is never."""
    model: str = ""
    """Fingerprint of the model whose hidden states it reads."""
    prompt: str = ""
    """Digest of the prompt they are read after."""

    @property
    def active(self) -> Flags:
        """Rows in use: the null token and every known error type."""
        return np.arange(ROWS) <= len(ERROR_TYPES)

    def logits(self, hidden: Floats) -> Floats:
        """Scores of shape (..., ROWS) for hidden states of shape (..., d).

        Raises:
            HeadError: the hidden state has another width.
        """
        if hidden.shape[-1] != self.weights.shape[1]:
            raise HeadError(
                f"The error-token head reads hidden states of width {self.weights.shape[1]}, "
                f"and this model gives {hidden.shape[-1]}. Use the model it was trained for."
            )
        return np.asarray(hidden @ self.weights.T + self.bias, np.float32)

    def softmax(self, hidden: Floats) -> Floats:
        """Distribution over the tokens in use alone, everything else 0 (equation 19)."""
        logits = np.where(self.active, self.logits(hidden), -np.inf)
        odds = np.exp(logits - logits.max(axis=-1, keepdims=True))
        return np.asarray(odds / odds.sum(axis=-1, keepdims=True), np.float32)

    def probabilities(self, hidden: Floats) -> Floats:
        """Sigmoid per token in use, everything else 0: several errors may hold at once."""
        return np.where(self.active, _sigmoid(self.logits(hidden)), np.float32(0))

    def correct(self, hidden: Floats) -> Floats:
        """Probability of the null token: the head as a judge of correctness. Shape (...)."""
        return np.asarray(self.probabilities(hidden)[..., NULL], np.float32)

    def detect(self, hidden: Floats) -> list[tuple[str, float]]:
        """Error types said of one hidden state of shape (d,), the most probable first; empty for No Error.

        The null token decides whether anything is wrong, each type's threshold what; where no type reaches
        its own, the most probable one is said. (With thresholds alone, every type adds its false alarms: on
        the actor's queries of Spider train, D-F1 0.65 against 0.75, docs/RESULTS.md.) A type less than
        half as probable as the most probable one is not said: then 43 % of the names are right, not 31 %.
        """
        probabilities = self.probabilities(hidden)
        known = [t for t in ERROR_TYPES if self.thresholds[t.number] <= 1]
        if probabilities[NULL] >= self.thresholds[NULL] or not known:
            return []
        said = [t for t in known if probabilities[t.number] >= self.thresholds[t.number]]
        said = said or [max(known, key=lambda error: probabilities[error.number])]
        found = [(error.key, float(probabilities[error.number])) for error in said]
        most = max(likely for _, likely in found)
        return sorted((pair for pair in found if pair[1] >= SHARE * most), key=lambda pair: -pair[1])

    def save(self, path: Path) -> None:
        """Write a safetensors file with everything the head must agree with in its metadata."""
        path.parent.mkdir(parents=True, exist_ok=True)
        tensors = {"weights": self.weights, "bias": self.bias, "thresholds": self.thresholds}
        keys = json.dumps([error.key for error in ERROR_TYPES])
        save_file(tensors, path, {"model": self.model, "prompt": self.prompt, "types": keys})


def load(path: Path, *, model: str | None = None, prompt: str | None = None) -> Head:
    """Read a head, and refuse one that was trained for another model, prompt or list of types.

    Args:
        path: the safetensors file.
        model: fingerprint of the model at hand; None skips the comparison.
        prompt: digest of the prompt at hand; None skips the comparison.

    Raises:
        HeadError: no such file, no head, or one that does not fit.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            meta = file.metadata() or {}
            weights, bias, thresholds = (file.get_tensor(n) for n in ("weights", "bias", "thresholds"))
    except (OSError, SafetensorError) as error:
        raise HeadError(f"{path} cannot be read as an error-token head: {error}. Train one.") from error
    _check_types(path, json.loads(meta.get("types", "[]")))
    for what, wanted in (("model", model), ("prompt", prompt)):
        if wanted is not None and meta.get(what) != wanted:
            raise HeadError(
                f"{path} was trained for the {what} {meta.get(what)!r}, not {wanted!r}. Train it again."
            )
    return Head(weights, bias, thresholds, meta.get("model", ""), meta.get("prompt", ""))


def belongs_to(path: Path) -> tuple[str, str]:
    """The model and the prompt that a head was trained for.

    Raises:
        HeadError: the file cannot be read.
    """
    head = load(path)
    return head.model, head.prompt


def _check_types(path: Path, stored: Sequence[str]) -> None:
    """A file may know fewer types than the code, never others: numbers are for good."""
    known = [error.key for error in ERROR_TYPES]
    if not stored or known[: len(stored)] != list(stored):
        raise HeadError(f"{path} numbers the error types differently from this version. Train it again.")


def init_rows(embedding: Callable[[str], Floats | None]) -> Floats:
    """Initial rows: the mean embedding of the words related to each type (equation 11).

    Args:
        embedding: the embedding of a word, shape (d,); None for a word the model does not know.

    Returns:
        Shape (ROWS, d); reserved rows without a type are 0.

    Raises:
        HeadError: none of a type's words has an embedding.
    """
    words = {NULL: NULL_KEYWORDS, **{error.number: error.keywords for error in ERROR_TYPES}}
    means = {row: _mean([embedding(word) for word in row_words]) for row, row_words in words.items()}
    rows = np.zeros((ROWS, means[NULL].shape[0]), np.float32)
    for row, mean in means.items():
        rows[row] = mean
    return rows


def _mean(vectors: Sequence[Floats | None]) -> Floats:
    known = [vector for vector in vectors if vector is not None]
    if not known:
        raise HeadError("The model has an embedding for none of the words of an error type.")
    return np.asarray(np.mean(known, axis=0), np.float32)


def _sigmoid(logits: Floats) -> Floats:
    return np.asarray(0.5 * (1 + np.tanh(0.5 * logits)), np.float32)
