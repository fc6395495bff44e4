"""The interface every language model fills, local or hosted."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from critiql.tools.exceptions import MODEL, CritiqlError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt in three parts, so that all prompts for one database share their first bytes.

    A model that runs here keeps the key-value state of `prefix`; a hosted one caches it on its side.
    """

    prefix: str
    """System line, then schema: the same bytes for every role and every question on one database."""
    request: str
    """What depends on the question and the role."""
    opening: str = ""
    """Text the answer is made to begin with. A hosted model ignores it."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How tokens are drawn."""

    temperature: float = 0.0
    """0 is greedy."""
    top_p: float = 0.95
    seed: int = 0
    max_tokens: int = 512
    stop: tuple[str, ...] = ()
    grammar: str | None = None
    """GBNF; local models only."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What one call cost."""

    prompt_tokens: int = 0
    cached_tokens: int = 0
    """Part of `prompt_tokens` whose key-value state was already there."""
    generated_tokens: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Generation:
    """The text a model wrote, `opening` not included."""

    text: str
    finish_reason: Literal["stop", "length", "cancelled"]
    logprob: float | None
    """Sum of the log-probabilities of the tokens drawn, in nats at temperature 1; None where not given."""
    usage: Usage


@dataclass(frozen=True, slots=True)
class ChoiceReading:
    """How likely each of some continuations is as the very next token."""

    logprobs: tuple[float, ...]
    """Per choice: log of the summed probability of its spellings, over the whole vocabulary, in nats."""
    usage: Usage


@dataclass(frozen=True, slots=True, eq=False)
class HiddenState:
    """What a local model shows of itself after a prompt."""

    vector: "NDArray[np.float32]"
    """Final-layer state (after the last norm) of the prompt's last token, shape (embedding size,)."""
    usage: Usage


class ModelError(CritiqlError):
    """A model cannot be loaded or did not answer. The message says what happened, why, and what to do."""

    exit_code = MODEL


class ContextOverflowError(ModelError):
    """The prompt does not fit into the model's context."""


class TransientModelError(ModelError):
    """The endpoint is busy, slow or out of reach; the same call may succeed later."""

    retry_after: float = 0.0
    """Seconds it asks to be left alone."""


class LanguageModel(Protocol):
    """What the roles ask of a model. Safe to call from several threads; calls are serialised where needed."""

    @property
    def name(self) -> str:
        """The name it was asked for by."""
        ...

    @property
    def fingerprint(self) -> str:
        """What identifies its weights: 12 hex digits of the file's SHA-256, or provider and name."""
        ...

    def generate(
        self, prompt: Prompt, sampling: Sampling, on_text: Callable[[str], None] | None = None
    ) -> Generation:
        """Write a continuation; `on_text` receives it piece by piece.

        Raises:
            ContextOverflowError: prompt and answer do not fit.
            ModelError: the model failed.
        """
        ...

    def choose(self, prompt: Prompt, choices: Sequence[Sequence[str]]) -> ChoiceReading:
        """Read, in one forward pass, how likely each choice is to come next.

        Args:
            prompt: the prompt; with `opening` the reading is taken after it.
            choices: for each choice its spellings, for example `["True", " True", "true"]`.

        Raises:
            ModelError: the model failed, or gives no log-probabilities.
        """
        ...

    def count_tokens(self, text: str) -> int:
        """Tokens of the text, special tokens not added; an estimate for hosted models."""
        ...


class ShowsHiddenState(Protocol):
    """A local model, or the call cache in front of one."""

    def hidden_state(self, prompt: Prompt) -> HiddenState:
        """Read the prompt and show the final state.

        Raises:
            ModelError: the model failed, or shows no hidden states.
        """
        ...
