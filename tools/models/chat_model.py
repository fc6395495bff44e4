"""Any LangChain chat model as a language model here. It answers in words alone, and follows no grammar."""

import math
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Literal

import httpx
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, SystemMessage

from critiql.tools.hiding import HidingStream, hide_known
from critiql.tools.models.cancel import cancelled, ensure_not_cancelled
from critiql.tools.models.event_loop import iterate, wait_for
from critiql.tools.models.model import (
    ChoiceReading,
    Generation,
    ModelError,
    Prompt,
    Sampling,
    TransientModelError,
    Usage,
)

if TYPE_CHECKING:  # langchain_core imports transformers and torch beside it, where they are installed
    from langchain_core.language_models import BaseChatModel

_BYTES_A_TOKEN = 3.5
"""English and SQL in current vocabularies; only for estimates."""
_TRANSIENT = (httpx.TransportError, ConnectionError, TimeoutError)
_TRANSIENT_STATUS = frozenset({408, 409, 425, 429})
_SAMPLING = ("temperature", "top_p", "seed", "max_tokens")
_WORD_TOKENS = 8
"""Tokens for an answer in one word, with room for what a model puts around it."""
_UNSAID = -50.0
"""Log-probability of a choice that was not the word."""
_CUT = ("length", "max_tokens", "MAX_TOKENS")
"""How providers say that an answer was cut at its longest."""


class ChatModel:
    """Fills `LanguageModel` with a chat model of LangChain. Calls may run side by side."""

    def __init__(self, name: str, chat: "BaseChatModel") -> None:
        self._name = name
        self._chat: Any = chat

    @property
    def name(self) -> str:
        """The name it was asked for by."""
        return self._name

    @property
    def fingerprint(self) -> str:
        """Provider and name: what weights answer is not told."""
        return self._name

    def generate(
        self, prompt: Prompt, sampling: Sampling, on_text: Callable[[str], None] | None = None
    ) -> Generation:
        """Write a continuation; see `LanguageModel.generate`.

        Raises:
            TransientModelError: the endpoint is busy, slow, out of reach, or broke off.
            ModelError: it refused the call.
        """
        started, whole = time.perf_counter(), AIMessageChunk(content="")
        shown = HidingStream(on_text or (lambda _: None))
        stream = self._chat.astream(messages_of(prompt), **self._arguments(prompt, sampling))
        with self._call(), closing(iterate(stream)) as chunks:
            for chunk in chunks:
                whole += _as_chunk(chunk)
                shown.feed(str(chunk.text))
        shown.finish()
        if not whole.text:
            ensure_not_cancelled()
        return self._generation(prompt, whole, started)

    def choose(self, prompt: Prompt, choices: Sequence[Sequence[str]]) -> ChoiceReading:
        """Ask for the choice in words, which is all or nothing: there are no log-probabilities here.

        Raises:
            TransientModelError: the endpoint is busy, slow, or out of reach.
            ModelError: it refused the call, or its first word names no choice.
        """
        started = time.perf_counter()
        wanted = {"temperature": 0.0, "max_tokens": _WORD_TOKENS}
        known = {name: value for name, value in wanted.items() if name in type(self._chat).model_fields}
        with self._call():
            message = wait_for(lambda: self._chat.ainvoke(messages_of(prompt), **known))
        said = word_logprobs(str(message.text), choices)
        if said is None:
            raise ModelError(
                f"{self._name} gives no log-probabilities, and answered none of "
                f"{', '.join(spellings[0] for spellings in choices)}. Use another model for this role."
            )
        return ChoiceReading(said, usage_of(message, started))

    def count_tokens(self, text: str) -> int:
        """An estimate from the length: the vocabulary is not here."""
        return math.ceil(len(text.encode()) / _BYTES_A_TOKEN)

    @contextmanager
    def _call(self) -> Iterator[None]:
        """One call with typed errors."""
        ensure_not_cancelled()
        try:
            yield
        except ModelError:
            raise
        except Exception as error:
            raise _typed(self._name, error) from error

    def _arguments(self, prompt: Prompt, sampling: Sampling) -> dict[str, Any]:
        """What is sent: of the sampling what the model has a field for, and the stop strings."""
        fields = type(self._chat).model_fields
        known = {name: getattr(sampling, name) for name in _SAMPLING if name in fields}
        return {**known, "stop": stops_of(prompt, sampling)}

    def _generation(self, prompt: Prompt, message: AIMessageChunk, started: float) -> Generation:
        usage = usage_of(message, started)
        if message.usage_metadata is None:
            estimate = self.count_tokens(prompt.prefix + prompt.request)
            usage = replace(usage, prompt_tokens=estimate, generated_tokens=self.count_tokens(message.text))
        return Generation(hide_known(str(message.text)), self._finish_reason(message), None, usage)

    def _finish_reason(self, message: AIMessageChunk) -> Literal["stop", "length", "cancelled"]:
        """Why the answer ends; providers name it in their own ways, or not at all."""
        if cancelled():
            return "cancelled"
        told = message.response_metadata
        return "length" if (told.get("finish_reason") or told.get("stop_reason")) in _CUT else "stop"


def word_logprobs(text: str, choices: Sequence[Sequence[str]]) -> tuple[float, ...] | None:
    """An answer in words as log-probabilities: 0 for the choice that is its first word; None for none."""
    words = re.findall(r"\w+", text.lower())
    named = [words[:1] in [[spelling.strip().lower()] for spelling in own] for own in choices]
    return tuple(0.0 if said else _UNSAID for said in named) if sum(named) == 1 else None


def chat_name(role: str, chat: "BaseChatModel") -> str:
    """A name for a model given as an object: role, class, and a digest of what identifies the object."""
    told = sha256(repr(sorted(chat._identifying_params.items())).encode()).hexdigest()[:8]
    return f"langchain:{role}:{type(chat).__name__}:{told}"


def _as_chunk(message: AIMessage) -> AIMessageChunk:
    """A model that does not stream gives its whole message."""
    if isinstance(message, AIMessageChunk):
        return message
    return AIMessageChunk(**message.model_dump(exclude={"type"}))


def messages_of(prompt: Prompt) -> list[BaseMessage]:
    """The prompt as chat messages."""
    return [SystemMessage(prompt.prefix), HumanMessage(prompt.request)]


def stops_of(prompt: Prompt, sampling: Sampling) -> list[str] | None:
    """Stop strings; one that the opening holds would end an answer that begins with it."""
    return [text for text in sampling.stop if text not in prompt.opening] or None


def usage_of(message: AIMessage, started: float) -> Usage:
    """What a call cost; `started` is on `time.perf_counter`."""
    seconds = time.perf_counter() - started
    told = message.usage_metadata
    if told is None:
        return Usage(seconds=seconds)
    cached = told.get("input_token_details", {}).get("cache_read", 0)
    return Usage(told["input_tokens"], cached, told["output_tokens"], seconds)


def _typed(name: str, error: Exception) -> ModelError:
    """An error of some provider's client as ours; its own sentence stays."""
    status = getattr(error, "status_code", None)
    busy = isinstance(status, int) and (status in _TRANSIENT_STATUS or status >= 500)
    said = f"{name} failed: {type(error).__name__}: {error}"
    return TransientModelError(said) if busy or isinstance(error, _TRANSIENT) else ModelError(said)
