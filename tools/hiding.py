"""The one place that keeps secrets out of what leaves this process: passwords in URLs, keys of endpoints.

What is written anywhere (state, events, checkpoints, stores, caches) loses the secrets that are known here.
Sentences and names for people lose, too, whatever stands where a URL has its password.
"""

import re
import threading
from collections.abc import Callable
from typing import Any

HIDDEN = "***"
SHORTEST = 8
"""Characters of a secret that is looked for in other text; a shorter one, or a plain word, is left out of
names and sentences by its place in the URL alone, since it may stand elsewhere for itself."""
IN_URL = re.compile(r"(?P<before>[a-z][a-z0-9+.-]*:/{1,2}[^\s:/@'\"]*:)[^\s'\"]+(?=@)", re.IGNORECASE)
"""`scheme://user:PASSWORD@`, also with a password that should have been escaped, or a slash too few."""
BARE = re.compile(r"(?P<before>(?:^|[\s/'\"=])(?!openai:)[\w.%+-]+:)[^\s'\"/]+(?=@[\w.-])")
"""`user:PASSWORD@host` without a scheme; `openai:NAME@URL` is a model."""
PARAMETER = re.compile(
    r"(?P<before>[?&](?:password|passwd|pwd|sslpassword|token|key|api[_-]?key|secret)=)[^\s&'\"]+",
    re.IGNORECASE,
)

_known: set[str] = set()
_lock = threading.Lock()


def know_secret(*secrets: str | None) -> None:
    """Let these be hidden from now on, wherever they stand, where they are no common words."""
    with _lock:
        _known.update(each for each in secrets if each and len(each) >= SHORTEST and not each.isalpha())


def hide_known(text: str) -> str:
    """The text without the secrets that are known."""
    for secret in _by_length():
        text = text.replace(secret, HIDDEN)
    return text


def hide_known_in(value: Any) -> Any:
    """The same for every text in dictionaries, lists and tuples; other objects stay."""
    return _in_texts(value, hide_known) if _known else value


def hide_secrets(text: str) -> str:
    """A sentence or a name without known secrets, and without what stands in a URL's place for them."""
    for pattern in (IN_URL, BARE, PARAMETER):
        text = pattern.sub(rf"\g<before>{HIDDEN}", text)
    return hide_known(text)


def hide_secrets_in(value: Any) -> Any:
    """The same for every text in dictionaries, lists and tuples; other objects stay."""
    return _in_texts(value, hide_secrets)


def _in_texts(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {name: _in_texts(inner, change) for name, inner in value.items()}
    if type(value) in (list, tuple):
        return type(value)(_in_texts(inner, change) for inner in value)
    return value


class HidingStream:
    """Hides known secrets in text that comes in pieces; the end of a piece waits while it may begin one."""

    def __init__(self, show: Callable[[str], None]) -> None:
        self._show = show
        self._held = ""

    def feed(self, text: str) -> None:
        """Pass on what can be no part of a secret."""
        hidden = hide_known(self._held + text)
        held = max((_overlap(hidden, secret) for secret in _by_length()), default=0)
        shown, self._held = hidden[: len(hidden) - held], hidden[len(hidden) - held :]
        if shown:
            self._show(shown)

    def finish(self) -> None:
        """Pass on the rest."""
        if self._held:
            self._show(self._held)
        self._held = ""


def _by_length() -> list[str]:
    """The longest first: one may hold another."""
    with _lock:
        return sorted(_known, key=len, reverse=True)


def _overlap(text: str, secret: str) -> int:
    """Characters at the end of the text with which the secret begins."""
    return next((n for n in range(min(len(secret) - 1, len(text)), 0, -1) if secret.startswith(text[-n:])), 0)
