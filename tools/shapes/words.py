"""Names of a schema in words: `order_items` is `order items`, one of them an `order item`."""

import re
from collections.abc import Sequence

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def said(name: str) -> str:
    """A name of the schema in words: `InvoiceLine` and `invoice_line` give the same."""
    return _HUMP.sub(" ", name).replace("_", " ").strip().lower()


def plural(name: str) -> str:
    """The words of a table's name, in the plural."""
    words = said(name)
    if words.endswith("s"):
        return words
    return f"{words[:-1]}ies" if words.endswith("y") and words[-2:-1] not in "aeiou" else f"{words}s"


def singular(name: str) -> str:
    """The words of a table's name, in the singular."""
    words = said(name)
    if words.endswith("ies"):
        return f"{words[:-3]}y"
    return words[:-1] if words.endswith("s") and not words.endswith(("ss", "us", "is")) else words


def one_of(words: str) -> str:
    """With the article in front: an order, a review."""
    return f"{'an' if words[:1] in 'aeiou' else 'a'} {words}"


def listed(names: Sequence[str]) -> str:
    """Names of columns in words, as a list in a sentence."""
    return " and ".join(said(name) for name in names)


def upper_first(text: str) -> str:
    """The text as a sentence begins."""
    return text[:1].upper() + text[1:]
