"""The prose of a Markdown page: its lines, and its sentences."""

import re
from collections.abc import Iterator

FENCE = re.compile(r"^ *(```|~~~)")
NEW_PARAGRAPH = re.compile(r"^\s*([-*] |\d+\. |#|!\[|\||<|$)")
ENDS = re.compile(r"(?<=[.!?])[*_)]*\s+(?=[\"(*_`\[]*[A-Z0-9`])")
LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")


def lines(page: str) -> Iterator[tuple[int, str]]:
    """Lines outside of code, with their numbers from 1; tables and headings are among them."""
    inside = False
    for number, line in enumerate(page.splitlines(), start=1):
        if FENCE.match(line):
            inside = not inside
        elif not inside and not line.startswith("    "):
            yield number, line


def sentences(page: str) -> list[str]:
    """Sentences of paragraphs and lists; headings, pictures and tables have none."""
    return [one for paragraph in _paragraphs(page) for one in ENDS.split(paragraph) if _words(one)]


def mean_words(page: str) -> float:
    """Words of a sentence, on average."""
    counts = [_words(one) for one in sentences(page)]
    return sum(counts) / len(counts)


def _paragraphs(page: str) -> Iterator[str]:
    """Text that belongs together, with the words of links only."""
    kept: list[str] = []
    for _, line in lines(page):
        if NEW_PARAGRAPH.match(line):
            yield " ".join(kept).strip()
            kept = []
        if not re.match(r"^\s*(#|!\[|\||<)", line):
            kept.append(LINK.sub(r"\1", re.sub(r"^\s*([-*]|\d+\.) ", "", line)).strip())
    yield " ".join(kept).strip()


def _words(sentence: str) -> int:
    return sum(any(c.isalnum() for c in word) for word in sentence.split())
