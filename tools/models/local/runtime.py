"""One GGUF model in this process: generate, choose, hidden state, token count.

All calls on one model are serialised; each reuses the key-value state of what its prompt shares with
earlier ones, in this process or, for prefixes, in an earlier one.
"""

import time
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from threading import Lock
from typing import Literal, NamedTuple

from critiql.tools.models.cancel import CallCancelledError, cancelled, ensure_not_cancelled
from critiql.tools.models.files.hashes import file_sha256
from critiql.tools.models.local.adapter import joined_sha256
from critiql.tools.models.local.kv_cache import CHUNK, MAKING, Chunk, KVCache, chunks_of
from critiql.tools.models.local.machine import physical_cores
from critiql.tools.models.local.prefix_store import PrefixStore, prefix_key
from critiql.tools.models.local.sampling import Logits, Sampler, log_normaliser
from critiql.tools.models.local.text_stream import TextStream
from critiql.tools.models.local.weights import Weights
from critiql.tools.models.model import (
    ChoiceReading,
    ContextOverflowError,
    Generation,
    HiddenState,
    ModelError,
    Sampling,
    Usage,
)
from critiql.tools.settings import settings

WORTH_KEEPING = 2 * CHUNK
"""Prefixes shorter than this many tokens are decoded again rather than kept."""
_LOCK_POLL = 0.1
"""Seconds between two looks at the cancellation while another call runs."""

FinishReason = Literal["stop", "length", "cancelled"]


@dataclass(frozen=True, slots=True)
class Tokens:
    """A prompt in tokens. The two parts are tokenised apart, since tokens would merge at the seam."""

    prefix: Sequence[int]
    suffix: Sequence[int]
    adapter: Path | None = None
    """A loaded adapter that acts on the suffix and the answer, not on the prefix."""

    def __len__(self) -> int:
        return len(self.prefix) + len(self.suffix)


class DrawnToken(NamedTuple):
    """One token of an answer."""

    text: str
    """What it stands for; empty for a control token."""
    logprob: float
    """In nats at temperature 1."""


class Written(NamedTuple):
    """A finished answer and the tokens it was drawn in."""

    generation: Generation
    tokens: Sequence[DrawnToken]


class LlamaRuntime:
    """A loaded model. Safe under threads: calls wait for each other."""

    def __init__(
        self,
        path: Path,
        n_ctx: int = 8192,
        threads: int | None = None,
        prefixes: PrefixStore | None = None,
        adapter: Path | None = None,
    ) -> None:
        """Load the model.

        Args:
            path: the GGUF file.
            n_ctx: context in tokens; never more than the model was trained for.
            threads: by default the setting `threads`, else the physical cores.
            prefixes: by default a store in the cache folder.
            adapter: a LoRA adapter over the weights, on for the whole of every prompt.

        Raises:
            ModelError: a file is missing or damaged, the adapter belongs to another model, or memory is
                short.
        """
        self.weights = Weights(path)
        self.n_ctx = min(n_ctx, self.weights.trained_context)
        self.sha256 = joined_sha256(file_sha256(path), adapter)
        self._cache = KVCache(self.weights, self.n_ctx, threads or settings().threads or physical_cores())
        if adapter is not None:
            self._cache.put_on(adapter)
        self._prefixes = prefixes or _default_store()
        self._context = f"llama-cpp-python {version('llama-cpp-python')}, n_ctx {self.n_ctx}, {MAKING}"
        self._lock = Lock()
        self.tokens_per_second: float | None = None
        """Of the last call; None before the first one."""

    @property
    def is_busy(self) -> bool:
        """Whether a call holds the model."""
        return self._lock.locked()

    def load_adapter(self, adapter: Path) -> None:
        """Load an adapter that prompts may name from now on.

        Raises:
            ModelError: the file is missing, damaged, or made for another model.
        """
        with self._turn():
            self._cache.load_adapter(adapter)

    def close(self) -> None:
        """Free everything, after the running call."""
        with self._lock:
            self._cache.close()
            self.weights.close()

    def count_tokens(self, text: str) -> int:
        """Tokens of a text, none of them special; needs no waiting."""
        return len(self.weights.tokenise(text))

    def stream(self, prompt: Tokens, sampling: Sampling) -> Generator[str, None, Written]:
        """Write a continuation, piece by piece; the generator's return value is the whole of it.

        The model is held until the generator ends or is closed.

        Raises:
            ContextOverflowError: prompt and answer do not fit.
            ModelError: the model failed, or the grammar is not valid.
        """
        writing = _Writing(sampling.stop)
        try:
            with self._turn() as started, closing(Sampler(self.weights, sampling)) as sampler:
                self._ensure_fits(prompt, sampling.max_tokens)
                cached = self._decode_prompt(prompt)
                reason = yield from self._write(writing, sampler, sampling.max_tokens)
                yield from writing.finish()
                usage = self._used(len(prompt), cached, len(writing.tokens), started)
        except CallCancelledError:
            return writing.result("cancelled", Usage(len(prompt)))
        return writing.result(reason, usage)

    def next_token_logits(self, prompt: Tokens) -> tuple[Logits, Usage]:
        """Logits after the prompt, shape (vocabulary,), from one forward pass.

        Raises:
            CallCancelledError: the call was cancelled.
            ContextOverflowError: the prompt does not fit.
        """
        with self._turn() as started:
            self._ensure_fits(prompt, 0)
            cached = self._decode_prompt(prompt)
            return self._cache.logits(), self._used(len(prompt), cached, 0, started)

    def choose(self, prompt: Tokens, choices: Sequence[Sequence[str]]) -> ChoiceReading:
        """How likely each choice comes next: log of the summed probability of its spellings' first tokens.

        A token that begins spellings of two choices says nothing and is left out.

        Raises:
            ModelError: a choice has no token of its own; otherwise as `next_token_logits`.
        """
        tokens = self._own_first_tokens(choices)
        logits, usage = self.next_token_logits(prompt)
        total = log_normaliser(logits)
        readings = tuple(log_normaliser(logits[sorted(own)]) - total for own in tokens)
        return ChoiceReading(readings, usage)

    def hidden_state(self, prompt: Tokens) -> HiddenState:
        """Final-layer state (after the last norm) of the prompt's last token.

        Later calls read the same logits as without it.

        Raises:
            CallCancelledError: the call was cancelled.
            ContextOverflowError: the prompt does not fit.
        """
        if not prompt.suffix:
            raise ModelError("A hidden state needs a prompt with something after its prefix.")
        with self._turn() as started:
            self._ensure_fits(prompt, 0)
            before = Tokens(prompt.prefix, prompt.suffix[:-1], prompt.adapter)
            cached = self._decode_prompt(before, redo_last=False)
            vector = self._cache.decode_for_hidden_state(prompt.suffix[-1])
            return HiddenState(vector, self._used(len(prompt), cached, 0, started))

    @contextmanager
    def _turn(self) -> Iterator[float]:
        """Wait for the model and hold it; gives the moment it was got."""
        while not self._lock.acquire(timeout=_LOCK_POLL):
            ensure_not_cancelled()
        try:
            if not self._cache.handle:
                raise ModelError(f"{self.weights.path.name} was closed.")
            yield time.perf_counter()
        except MemoryError as error:
            name = self.weights.path.name
            raise ModelError(f"{name} ran out of memory. Close something, or use a smaller model.") from error
        finally:
            if self._cache.handle:
                self._cache.wear(None)
            self._lock.release()

    def _used(self, read: int, cached: int, written: int, started: float) -> Usage:
        """What a call took; its speed is noted."""
        seconds = time.perf_counter() - started
        self.tokens_per_second = (read - cached + written) / max(seconds, 1e-6)
        return Usage(read, cached, written, seconds)

    def _ensure_fits(self, prompt: Tokens, answer: int) -> None:
        if len(prompt) + answer > self.n_ctx:
            raise ContextOverflowError(
                f"A prompt of {len(prompt)} tokens and an answer of up to {answer} do not fit into the "
                f"context of {self.n_ctx}. Ask with a smaller schema, fewer examples or a shorter answer."
            )

    def _decode_prompt(self, prompt: Tokens, *, redo_last: bool = True) -> int:
        """Bring the cache to the end of the prompt; the number of tokens that were there already.

        The last chunk is decoded even when it is there, to have its logits, unless `redo_last` is False.
        """
        chunks = chunks_of(prompt.prefix, prompt.suffix, prompt.adapter)
        of_prefix = len(chunks_of(prompt.prefix, ()))
        if self._cache.shared(chunks) < of_prefix:
            self._restore_prefix(chunks[:of_prefix])
        cached = self._cache.keep(min(self._cache.shared(chunks), len(chunks) - redo_last))
        for place in range(self._cache.shared(chunks), len(chunks)):
            self._cache.decode_chunk(chunks[place])
            if place + 1 == of_prefix:
                self._keep_prefix(prompt.prefix)
        self._cache.wear(prompt.adapter)
        return cached

    def _restore_prefix(self, chunks: Sequence[Chunk]) -> None:
        key = self._key([token for chunk in chunks for token in chunk.tokens])
        state = self._prefixes.get(key)
        if state is not None and not self._cache.restore(chunks, state):
            self._prefixes.discard(key)

    def _keep_prefix(self, prefix: Sequence[int]) -> None:
        if len(prefix) >= WORTH_KEEPING:
            self._prefixes.put(self._key(prefix), self._cache.snapshot())

    def _key(self, prefix: Sequence[int]) -> str:
        return prefix_key(self.sha256, self._context, prefix)

    def _write(self, writing: "_Writing", sampler: Sampler, limit: int) -> Generator[str, None, FinishReason]:
        """Draw tokens until one ends the answer, a stop string is met, or a limit or cancellation comes."""
        last: list[int] = []
        for _ in range(limit):
            if cancelled():
                return "cancelled"
            if last:
                self._cache.decode(last)
            logits = self._cache.logits()
            token = sampler.draw(logits)
            ends, last = self.weights.ends(token), [token]
            logprob = float(logits[token]) - log_normaliser(logits)
            yield from writing.take(b"" if ends else self.weights.piece(token), logprob)
            if ends or writing.stopped:
                return "stop"
        return "length"

    def _own_first_tokens(self, choices: Sequence[Sequence[str]]) -> list[set[int]]:
        """Per choice the tokens that only its spellings begin with."""
        firsts = [{self.weights.tokenise(spelling)[0] for spelling in filter(None, s)} for s in choices]
        uses = Counter(token for first in firsts for token in first)
        own = [{token for token in first if uses[token] == 1} for first in firsts]
        if not own or not all(own):
            raise ModelError(f"The choices {choices!r} do not each begin with a token of their own.")
        return own


class _Writing:
    """What a generation has drawn so far."""

    def __init__(self, stop: Sequence[str]) -> None:
        self._stream = TextStream(stop)
        self._text = ""
        self.tokens: list[DrawnToken] = []

    @property
    def stopped(self) -> bool:
        return self._stream.stopped

    def take(self, piece: bytes, logprob: float) -> Iterator[str]:
        """Count a token; gives the text that became certain with it."""
        self.tokens.append(DrawnToken(piece.decode(errors="replace"), logprob))
        yield from self._show(self._stream.feed(piece))

    def finish(self) -> Iterator[str]:
        """Give what was held back."""
        yield from self._show(self._stream.finish())

    def result(self, reason: FinishReason, usage: Usage) -> Written:
        """The answer as it stands."""
        logprob = sum(token.logprob for token in self.tokens)
        return Written(Generation(self._text, reason, logprob, usage), self.tokens)

    def _show(self, text: str) -> Iterator[str]:
        self._text += text
        if text:
            yield text


def _default_store() -> PrefixStore:
    here = settings()
    return PrefixStore(here.cache / "prefixes", int(here.cache_gigabytes * 1e9))
