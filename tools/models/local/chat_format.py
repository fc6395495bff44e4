"""Writing chat messages the way a model was trained to read them."""

import ctypes
from collections.abc import Sequence
from typing import NamedTuple

from critiql.tools.models.local.llama import native
from critiql.tools.models.local.weights import Weights
from critiql.tools.models.model import ModelError


class Message(NamedTuple):
    """One turn of a chat."""

    role: str
    """system, user or assistant."""
    text: str


class Segment(NamedTuple):
    """A piece of a rendered chat."""

    text: str
    from_template: bool
    """Whether control tokens in it are meant; in what users write they are plain text."""


def render(weights: Weights, messages: Sequence[Message], template: str | None = None) -> list[Segment]:
    """The chat as alternating template and message pieces, ready for the assistant to answer.

    Args:
        weights: the model.
        messages: at least one.
        template: a Jinja template, or the name of one llama.cpp knows, such as `chatml`; by default
            the one in the GGUF.

    Raises:
        ModelError: there is no template, or llama.cpp does not know it.
    """
    marks = [f"\x02{place}\x03" for place in range(len(messages))]
    marked = [Message(message.role, mark) for message, mark in zip(messages, marks, strict=True)]
    rest = _apply(template or _own_template(weights), marked)
    segments = []
    for mark, message in zip(marks, messages, strict=True):
        before, found, rest = rest.partition(mark)
        if not found:
            raise ModelError(f"The chat template of {weights.path.name} drops {message.role} messages.")
        segments += [Segment(before, True), Segment(message.text, False)]
    return [*segments, Segment(rest, True)]


def tokenise(weights: Weights, segments: Sequence[Segment], *, begin: bool) -> list[int]:
    """Tokens of the segments; `begin` puts the begin-of-sequence token in front where the model has one."""
    tokens: list[int] = []
    for place, (text, from_template) in enumerate(segments):
        tokens += weights.tokenise(text, special=from_template, begin=begin and place == 0)
    return tokens


def _own_template(weights: Weights) -> str:
    if weights.chat_template is None:
        raise ModelError(f"{weights.path.name} holds no chat template: it is not a chat model.")
    return weights.chat_template


def _apply(template: str, messages: Sequence[Message]) -> str:
    chat = (native.llama_chat_message * len(messages))(
        *(native.llama_chat_message(message.role.encode(), message.text.encode()) for message in messages)
    )
    size = 4096 + 256 * len(messages)
    buffer = ctypes.create_string_buffer(size)
    length = native.llama_chat_apply_template(template.encode(), chat, len(messages), True, buffer, size)
    if not 0 <= length <= size:
        raise ModelError("The model's chat template is none that llama.cpp knows.")
    return buffer.raw[:length].decode()
