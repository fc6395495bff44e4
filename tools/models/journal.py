"""Answers of models that outlast the process: what is asked again after a kill is not computed again."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict
from hashlib import sha256
from typing import Any, Protocol

from critiql.tools.models.model import ChoiceReading, Generation, LanguageModel, Prompt, Sampling, Usage


class Journal(Protocol):
    """Where a run keeps the answers it got. Safe to use from several threads."""

    def take(self, key: str) -> dict[str, Any] | None:
        """An answer of the killed process to this call; each is taken once."""
        ...

    def keep(self, key: str, answer: dict[str, Any]) -> None:
        """Keep an answer; it is safe when this returns."""
        ...


_journal: ContextVar[Journal | None] = ContextVar("journal", default=None)


@contextmanager
def journaled(journal: Journal | None) -> Iterator[None]:
    """Let the model calls of this block go through a journal."""
    token = _journal.set(journal)
    try:
        yield
    finally:
        _journal.reset(token)


def with_journal(model: LanguageModel) -> LanguageModel:
    """The model behind the journal of this context; itself where there is none."""
    journal = _journal.get()
    return model if journal is None else JournaledModel(model, journal)


class JournaledModel:
    """A language model whose answers are kept as soon as they are there."""

    def __init__(self, model: LanguageModel, journal: Journal) -> None:
        self._model = model
        self._journal = journal

    def __getattr__(self, name: str) -> Any:
        """Whatever else the model offers."""
        return getattr(self._model, name)

    @property
    def name(self) -> str:
        """As the model's."""
        return self._model.name

    @property
    def fingerprint(self) -> str:
        """As the model's."""
        return self._model.fingerprint

    def generate(
        self, prompt: Prompt, sampling: Sampling, on_text: Callable[[str], None] | None = None
    ) -> Generation:
        """As the model's; a known text reaches `on_text` in one piece. A cancelled one is not kept."""
        key = _key(self.fingerprint, "generate", prompt, sampling)
        known = self._journal.take(key)
        if known is not None:
            generation = Generation(**{**known, "usage": Usage(**known["usage"])})
            if on_text is not None and generation.text:
                on_text(generation.text)
            return generation
        generation = self._model.generate(prompt, sampling, on_text)
        if generation.finish_reason != "cancelled":
            self._journal.keep(key, asdict(generation))
        return generation

    def choose(self, prompt: Prompt, choices: Sequence[Sequence[str]]) -> ChoiceReading:
        """As the model's."""
        key = _key(self.fingerprint, "choose", prompt, choices)
        known = self._journal.take(key)
        if known is not None:
            return ChoiceReading(tuple(known["logprobs"]), Usage(**known["usage"]))
        reading = self._model.choose(prompt, choices)
        self._journal.keep(key, asdict(reading))
        return reading

    def count_tokens(self, text: str) -> int:
        """As the model's."""
        return self._model.count_tokens(text)


def _key(*call: object) -> str:
    """Digest of everything that decides an answer."""
    return sha256(repr(call).encode("utf-8", "surrogatepass")).hexdigest()[:32]
