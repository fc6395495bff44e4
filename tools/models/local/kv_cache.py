"""The key-value cache of one context: which tokens it holds, and moving whole states in and out.

A prompt is decoded in chunks whose bounds depend on the prompt alone, and what is reused of it ends
at the end of a chunk. So a warm answer is, bit for bit, the one a cold run gives, whatever was asked before.
"""

import ctypes
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from critiql.tools.models.cancel import ensure_not_cancelled
from critiql.tools.models.local.llama import first_error, forget_errors, native
from critiql.tools.models.local.sampling import Logits
from critiql.tools.models.local.trial import try_out
from critiql.tools.models.local.weights import Weights, check_is_gguf
from critiql.tools.models.model import ModelError

CHUNK = 32
"""Tokens decoded at a time. Between two chunks a call can be cancelled, so a chunk must take well under
a second; larger ones gained 14 % in prefill speed (1.5B, 2 cores: 16 tokens 123/s, 32 167/s, 256 189/s)."""


MAKING = f"chunks of {CHUNK}, no flash attention"
"""What a stored state depends on beside the weights and the tokens."""


class Chunk(NamedTuple):
    """Tokens decoded at once, and what they are decoded with: only both together name a state."""

    tokens: tuple[int, ...]
    adapter: Path | None = None


def chunks_of(prefix: Sequence[int], suffix: Sequence[int], adapter: Path | None = None) -> list[Chunk]:
    """The chunks a prompt is decoded in; the prefix is divided by itself, whatever follows it.

    Args:
        prefix: decoded without the adapter.
        suffix: decoded with it.
        adapter: one that acts after the prefix; None is none.
    """
    return [
        Chunk(tuple(part[start : start + CHUNK]), on)
        for part, on in ((prefix, None), (suffix, adapter))
        for start in range(0, len(part), CHUNK)
    ]


class KVCache:
    """One llama.cpp context with one sequence in it. Not safe under threads: its owner serialises."""

    def __init__(self, weights: Weights, n_ctx: int, threads: int) -> None:
        """`ModelError` when there is no memory for a context of `n_ctx` tokens."""
        forget_errors()
        self.handle = native.llama_init_from_model(weights.handle, _parameters(n_ctx, threads))
        if not self.handle:
            raise ModelError(
                f"{weights.path.name}: no context of {n_ctx} tokens could be made ({first_error()}). "
                "There is too little free memory; use a smaller model or a shorter context."
            )
        self._memory = native.llama_get_memory(self.handle)
        self._weights = weights
        self._chunks: list[Chunk] = []
        self._adapters: dict[Path, Any] = {}
        self._always: list[Path] = []
        self._worn: list[Path] = []

    def put_on(self, adapter: Path) -> None:
        """Compute with a LoRA adapter from now on, prefixes too.

        Raises:
            ModelError: the file is missing, damaged, or made for another model.
        """
        self.load_adapter(adapter)
        self._always = [adapter]
        self.wear(None)

    def wear(self, adapter: Path | None) -> None:
        """Compute with a loaded adapter from now on, until another is worn or none."""
        worn = [*self._always, *([adapter] if adapter is not None else [])]
        if worn == self._worn:
            return
        loaded = (native.llama_adapter_lora_p_ctypes * len(worn))(*(self._adapters[one] for one in worn))
        scales = (ctypes.c_float * len(worn))(*(1.0 for _ in worn))
        if native.llama_set_adapters_lora(self.handle, loaded or None, len(worn), scales):
            raise ModelError(f"{self._weights.path.name}: an adapter could not be put on ({first_error()}).")
        self._worn = worn

    def load_adapter(self, adapter: Path) -> None:
        """Load a LoRA adapter, to be worn; it is freed with the weights.

        Raises:
            ModelError: the file is missing, damaged, or made for another model.
        """
        if adapter in self._adapters:
            return
        check_is_gguf(adapter)
        try_out(self._weights.path, adapter)
        forget_errors()
        loaded = native.llama_adapter_lora_init(self._weights.handle, str(adapter).encode())
        if not loaded:
            raise ModelError(
                f"{adapter} cannot be put on {self._weights.path.name}: {first_error()}. It is damaged, no "
                "LoRA adapter, or was trained on another model; name the model it belongs to."
            )
        self._adapters[adapter] = loaded

    def close(self) -> None:
        """Free the context."""
        if self.handle:
            native.llama_free(self.handle)
            self.handle = None

    def shared(self, chunks: Sequence[Chunk]) -> int:
        """Number of leading chunks whose state is here."""
        both = zip(self._chunks, chunks, strict=False)
        return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], both))

    def keep(self, count: int) -> int:
        """Forget all but the first `count` chunks; the number of tokens that stayed.

        A recurrent model cannot forget a part: it forgets everything, and 0 tokens stay.
        """
        length = sum(len(chunk.tokens) for chunk in self._chunks[:count])
        if length < self._decoded() and not native.llama_memory_seq_rm(self._memory, 0, length, -1):
            self._drop_all()
            return 0
        self._chunks = self._chunks[:count]
        return length

    def decode_chunk(self, chunk: Chunk) -> None:
        """Decode one chunk of a prompt; later prompts that begin alike reuse it.

        Raises:
            CallCancelledError: the call was cancelled; what was decoded before stays.
        """
        ensure_not_cancelled()
        self.wear(chunk.adapter)
        self.decode(chunk.tokens)
        self._chunks.append(chunk)

    def decode(self, tokens: Sequence[int]) -> None:
        """Decode tokens that no later prompt reuses, for example drawn ones."""
        data = (native.llama_token * len(tokens))(*tokens)
        forget_errors()
        status = native.llama_decode(self.handle, native.llama_batch_get_one(data, len(tokens)))
        if status:
            self._drop_all()
            raise ModelError(f"llama.cpp could not decode {len(tokens)} tokens ({status}: {first_error()}).")

    def logits(self) -> Logits:
        """The next-token logits after the last decode, shape (vocabulary,), a copy."""
        pointer = native.llama_get_logits_ith(self.handle, -1)
        return np.ctypeslib.as_array(pointer, (self._weights.vocab_size,)).copy()

    def decode_for_hidden_state(self, token: int) -> Logits:
        """Decode one token; its final-layer state after the last norm, shape (embedding size,)."""
        native.llama_set_embeddings(self.handle, True)
        try:
            self.decode([token])
            pointer = native.llama_get_embeddings_ith(self.handle, -1)
            return np.ctypeslib.as_array(pointer, (self._weights.embedding_size,)).copy()
        finally:
            native.llama_set_embeddings(self.handle, False)

    def snapshot(self) -> bytes:
        """The key-value state of everything decoded so far, as llama.cpp writes it."""
        size = native.llama_state_seq_get_size(self.handle, 0)
        buffer = (ctypes.c_uint8 * size)()
        written = native.llama_state_seq_get_data(self.handle, buffer, size, 0)
        return bytes(memoryview(buffer)[:written])

    def restore(self, chunks: Sequence[Chunk], state: bytes) -> bool:
        """Replace everything by the state of these chunks; False, and empty, when llama.cpp refuses it."""
        self._drop_all()
        buffer = (ctypes.c_uint8 * len(state)).from_buffer_copy(state)
        if native.llama_state_seq_set_data(self.handle, buffer, len(state), 0) != len(state):
            self._drop_all()
            return False
        self._chunks = list(chunks)
        return True

    def _drop_all(self) -> None:
        native.llama_memory_clear(self._memory, False)
        self._chunks = []

    def _decoded(self) -> int:
        """Tokens llama.cpp holds; asked rather than counted, since an interrupt may fall between the two."""
        return int(native.llama_memory_seq_pos_max(self._memory, 0)) + 1


def _parameters(n_ctx: int, threads: int) -> Any:
    parameters = native.llama_context_default_params()
    parameters.n_ctx = n_ctx
    parameters.n_batch = parameters.n_ubatch = CHUNK
    parameters.n_seq_max = 1
    parameters.n_threads = parameters.n_threads_batch = threads
    parameters.pooling_type = native.LLAMA_POOLING_TYPE_NONE
    parameters.flash_attn_type = native.LLAMA_FLASH_ATTN_TYPE_DISABLED  # no faster here, and less exact
    parameters.no_perf = True
    return parameters
