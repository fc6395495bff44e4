"""Drawing the next token: greedy or nucleus sampling, with or without a grammar."""

import ctypes
import math

import numpy as np
from numpy.typing import NDArray

from critiql.tools.models.local.llama import native
from critiql.tools.models.local.weights import Weights
from critiql.tools.models.model import ModelError, Sampling

Logits = NDArray[np.float32]
"""One value a token of the vocabulary."""


def log_normaliser(logits: Logits) -> float:
    """Log of the sum of the exponentials: what turns a logit into a log-probability."""
    peak = float(logits.max())
    return peak + math.log(float(np.exp(logits - peak).sum(dtype=np.float64)))


class Sampler:
    """Draws tokens for one generation; its state is the random stream and the grammar's position."""

    def __init__(self, weights: Weights, sampling: Sampling) -> None:
        """`ModelError` when the grammar cannot be parsed."""
        self._sampling = sampling
        self._random = np.random.default_rng(sampling.seed)
        self._grammar = Grammar(weights, sampling.grammar) if sampling.grammar else None

    def draw(self, logits: Logits) -> int:
        """The next token.

        A token is drawn freely first and again under the grammar only when the grammar refuses it:
        the outcome has the same distribution as masking first, and the mask is rarely computed.
        """
        token = self._draw_freely(logits)
        if self._grammar is not None:
            if not self._grammar.allows(token):
                token = self._draw_freely(self._grammar.mask(logits))
                if not self._grammar.allows(token):
                    raise ModelError("The grammar leads nowhere: no token of the model can come next.")
            self._grammar.accept(token)
        return token

    def close(self) -> None:
        """Free the grammar."""
        if self._grammar is not None:
            self._grammar.close()

    def _draw_freely(self, logits: Logits) -> int:
        if self._sampling.temperature <= 0:
            return int(logits.argmax())
        scaled = (logits - logits.max()) / self._sampling.temperature
        return self._draw_from_nucleus(np.exp(scaled, dtype=np.float64))

    def _draw_from_nucleus(self, weights: NDArray[np.float64]) -> int:
        """Draw from the fewest likeliest tokens that hold `top_p` of the probability."""
        tail = (1 - self._sampling.top_p) * weights.sum() / len(weights)
        likely = np.flatnonzero(weights >= tail)  # the rest together is less than what may be cut off
        order = likely[np.argsort(-weights[likely], kind="stable")]
        heaped = np.cumsum(weights[order])
        kept = int(np.searchsorted(heaped, self._sampling.top_p * weights.sum())) + 1
        heaped = heaped[:kept]
        place = np.searchsorted(heaped, self._random.random() * heaped[-1], side="right")
        return int(order[min(int(place), len(heaped) - 1)])


class Grammar:
    """A GBNF grammar and how far a generation has come in it."""

    def __init__(self, weights: Weights, gbnf: str) -> None:
        """`ModelError` when llama.cpp cannot parse the grammar."""
        self._handle = native.llama_sampler_init_grammar(weights.vocab, gbnf.encode(), b"root")
        if not self._handle:
            raise ModelError("The grammar is not valid GBNF, or has no rule called `root`.")

    def allows(self, token: int) -> bool:
        """Whether the token may come next."""
        return bool(np.isfinite(self._apply(np.array([token], np.int32), np.zeros(1, np.float32)))[0])

    def mask(self, logits: Logits) -> Logits:
        """The logits with minus infinity where the grammar does not let a token come next."""
        return self._apply(np.arange(len(logits), dtype=np.int32), logits)

    def accept(self, token: int) -> None:
        """Move on by a token that `allows` or `mask` admitted."""
        native.llama_sampler_accept(self._handle, token)

    def close(self) -> None:
        """Free the parsed grammar."""
        native.llama_sampler_free(self._handle)

    def _apply(self, tokens: NDArray[np.int32], logits: Logits) -> Logits:
        rows = np.zeros(len(tokens), dtype=_TOKEN_DATA)
        rows["id"], rows["logit"] = tokens, logits
        data = rows.ctypes.data_as(native.llama_token_data_p)
        candidates = native.llama_token_data_array(data, len(rows), -1, False)
        native.llama_sampler_apply(self._handle, ctypes.byref(candidates))
        masked: Logits = rows["logit"].copy()
        return masked


_TOKEN_DATA = np.dtype([("id", np.int32), ("logit", np.float32), ("p", np.float32)], align=True)
"""The layout of `llama_token_data`."""
