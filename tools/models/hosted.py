"""Models behind an OpenAI-compatible endpoint, through langchain-openai."""

import time
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal, NamedTuple
from urllib.parse import unquote, urlsplit

import numpy as np
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_openai import ChatOpenAI
from openai import APIConnectionError, APIStatusError, APITimeoutError, OpenAIError
from pydantic import SecretStr

from critiql.tools.hiding import hide_known, hide_secrets, know_secret
from critiql.tools.models.cancel import cancelled, ensure_not_cancelled
from critiql.tools.models.chat_model import ChatModel, messages_of, stops_of, usage_of
from critiql.tools.models.event_loop import POLL, wait_for
from critiql.tools.models.model import (
    ChoiceReading,
    ContextOverflowError,
    ModelError,
    Prompt,
    Sampling,
    TransientModelError,
)
from critiql.tools.settings import settings

_TOP = 20
"""Alternatives asked for a token; the most OpenAI gives."""
_TIMEOUT = 120.0
"""Seconds without an answer."""
_LONGEST_WAIT = 60.0
"""A Retry-After of more seconds is not waited for, neither by the client nor here."""
_TRANSIENT_STATUS = frozenset({408, 409, 425, 429})
_UNREADABLE = (ValueError, TypeError, AttributeError, LookupError)
"""What the client raises at an answer that is not JSON, JSON of another shape, or a stream of nothing."""


class HostedModel(ChatModel):
    """Fills `LanguageModel` over the network. Calls may run side by side."""

    def __init__(self, name: str, chat: Any) -> None:
        super().__init__(name, chat)
        self._not_before = 0.0
        """Moment on `time.monotonic` that the endpoint asked not to be called before."""

    @classmethod
    def from_spec(cls, spec: str) -> "HostedModel":
        """The model `openai:NAME` or `openai:NAME@URL` stands for.

        Raises:
            ModelError: no name, or no key for the public endpoint.
        """
        name, _, url = spec.removeprefix("openai:").partition("@")
        configured = url or settings().openai_base_url
        if not name:
            raise ModelError(f"{spec!r} names no model; write openai:NAME or openai:NAME@URL.")
        with typed_errors(spec):
            base_url, headers = _without_login(configured)
            chat = ChatOpenAI(
                model=name,
                base_url=base_url,
                api_key=_key(configured),
                default_headers=headers,
                timeout=_TIMEOUT,
                stream_chunk_timeout=None,  # it would log; the client and the run have limits of their own
            )
        return cls(hide_secrets(spec), chat)

    def choose(self, prompt: Prompt, choices: Sequence[Sequence[str]]) -> ChoiceReading:
        """Read how likely each choice is to come next from the likeliest tokens the endpoint reports.

        Where it reports none, or refuses to, the model says its choice in words, which is all or nothing.

        Raises:
            ModelError: the endpoint gives no log-probabilities, and its words name no choice.
        """
        ensure_not_cancelled()
        started = time.perf_counter()
        message = self._with_logprobs(prompt)
        top = _top_tokens(message.response_metadata) if message else []
        if message and top:
            return ChoiceReading(choice_logprobs(top, choices), usage_of(message, started))
        return super().choose(prompt, choices)

    def _with_logprobs(self, prompt: Prompt) -> AIMessage | None:
        """One token with its likeliest alternatives; None where the endpoint will not hear of them."""
        try:
            with self._call():
                bound = self._chat.bind(logprobs=True, top_logprobs=_TOP, max_tokens=1, temperature=0.0)
                message: AIMessage = wait_for(lambda: bound.ainvoke(messages_of(prompt)))
                return message
        except ModelError as error:
            if "logprobs" in str(error):
                return None
            raise

    @contextmanager
    def _call(self) -> Iterator[None]:
        """One call with typed errors, not made before the moment that the endpoint named when it refused."""
        while (left := self._not_before - time.monotonic()) > 0:
            ensure_not_cancelled()
            time.sleep(min(left, POLL))
        try:
            with typed_errors(self._name):
                yield
        except TransientModelError as error:
            self._not_before = time.monotonic() + error.retry_after
            raise

    def _arguments(self, prompt: Prompt, sampling: Sampling) -> dict[str, Any]:
        """What is sent."""
        return {
            "stream_usage": True,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "seed": sampling.seed,
            "max_tokens": sampling.max_tokens,
            "stop": stops_of(prompt, sampling),
        }

    def _finish_reason(self, message: AIMessageChunk) -> Literal["stop", "length", "cancelled"]:
        """A stream that breaks off looks like a short answer, but has no finish reason."""
        reason = message.response_metadata.get("finish_reason")
        if reason in ("stop", "length"):
            return "stop" if reason == "stop" else "length"
        if cancelled():
            return "cancelled"
        if reason is None:
            raise TransientModelError(f"{self._name} broke off in the middle of its answer. Try again.")
        raise ModelError(f"{self._name} ended its answer for the reason {reason!r}.")


class TopToken(NamedTuple):
    """One of the likeliest tokens at a place."""

    text: str
    logprob: float


def choice_logprobs(top: Sequence[TopToken], choices: Sequence[Sequence[str]]) -> tuple[float, ...]:
    """Per choice the log of the summed probability of the tokens that speak for it alone.

    A token speaks for a choice when one of its spellings begins with it. A choice no token speaks for
    gets the log-probability of the least likely token reported: it is at most that.
    """
    floor = min(token.logprob for token in top)
    heard: list[list[float]] = [[] for _ in choices]
    for token in top:
        speaks_for = [place for place, spellings in enumerate(choices) if _begins(token.text, spellings)]
        if len(speaks_for) == 1:
            heard[speaks_for[0]].append(token.logprob)
    return tuple(float(np.logaddexp.reduce(own)) if own else floor for own in heard)


def _begins(token: str, spellings: Sequence[str]) -> bool:
    return bool(token.strip()) and any(spelling.startswith(token) for spelling in spellings)


def _top_tokens(metadata: dict[str, Any]) -> list[TopToken]:
    """The likeliest first tokens; none where the endpoint gives none, or nothing that can be read as such."""
    try:
        first = metadata["logprobs"]["content"][0]["top_logprobs"]
        return [TopToken(str(top["token"]), float(top["logprob"])) for top in first]
    except (KeyError, IndexError, TypeError, ValueError):
        return []


def _key(url: str | None) -> SecretStr | None:
    """The key for an endpoint. The configured key goes to the configured endpoint and to no other."""
    here = settings()
    if url == here.openai_base_url:
        return here.openai_api_key or (SecretStr("none") if url else None)
    return SecretStr("none")


def _retry_after(error: APIStatusError) -> float:
    """Seconds that the endpoint asks to wait; 0 where it names none, too many, or a date."""
    try:
        seconds = float(error.response.headers.get("retry-after", 0))
    except ValueError:
        return 0.0
    return seconds if 0 < seconds <= _LONGEST_WAIT else 0.0


def _without_login(url: str | None) -> tuple[str | None, dict[str, str] | None]:
    """A URL without user and password, which a client's log would tell, and the header that says them.

    Raises:
        ModelError: the URL cannot be read.
    """
    if url is None or "@" not in url:
        return url, None
    try:
        parts = urlsplit(url)
        place = f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)
    except ValueError:
        parts, place = urlsplit(""), ""
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if not parts.username or "@" in parts.path + parts.query + parts.fragment:
        raise ModelError(
            "The address of a model cannot be read. "
            "Write openai:NAME@http://USER:PASSWORD@HOST:PORT/v1, with %-escapes."
        )
    login = b64encode(f"{user}:{password}".encode()).decode()
    know_secret(parts.password, password, login)
    return parts._replace(netloc=place).geturl(), {"Authorization": f"Basic {login}"}


@contextmanager
def typed_errors(name: str) -> Iterator[None]:
    """Turn what the client raises into `ModelError`, what may pass into `TransientModelError`.

    Nothing is retried here: the client itself tries twice more before it raises.
    """
    try:
        yield
    except APIStatusError as error:
        raise _refusal(name, error) from None  # it may hold the key
    except APITimeoutError as error:
        raise TransientModelError(f"{name} did not answer within {_TIMEOUT:.0f} seconds.") from error
    except APIConnectionError as error:
        raise TransientModelError(f"{name} cannot be reached. Check the address and the network.") from error
    except _UNREADABLE as error:
        raise TransientModelError(f"{name} sent an answer that cannot be read ({error}).") from error
    except OpenAIError as error:
        raise ModelError(f"{name}: {error}") from error


def _refusal(name: str, error: APIStatusError) -> ModelError:
    status, said = error.status_code, hide_known(error.message)
    if status in _TRANSIENT_STATUS or status >= 500:
        busy = TransientModelError(
            f"{name} is busy or failing (HTTP {status}). Try again later. It said: {said}"
        )
        busy.retry_after = _retry_after(error)
        return busy
    if status in (401, 403):
        return ModelError(f"{name} refused the key (HTTP {status}). Set CRITIQL_OPENAI_API_KEY.")
    if "context" in said.lower() and status in (400, 413):
        return ContextOverflowError(f"The prompt does not fit into {name}. It said: {said}")
    return ModelError(f"{name} refused the call (HTTP {status}). It said: {said}")
