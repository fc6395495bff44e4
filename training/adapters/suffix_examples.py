"""Examples that follow a prefix, in the model's own tokens, and how they come together in steps."""

from collections.abc import Sequence
from itertools import takewhile
from typing import NamedTuple

from critiql.training.data.order import rank

Tokens = tuple[int, ...]


class SuffixExample(NamedTuple):
    """One example in the model's own tokens."""

    prefix: Tokens
    suffix: Tokens
    answer: Tokens
    """With the token that ends it."""


def batches_of(
    examples: Sequence[SuffixExample], batch: int, epochs: int = 1, seed: int = 0
) -> list[list[int]]:
    """The examples of every step, by number: of one prefix and like length, each epoch in its own order.

    Args:
        examples: all of them.
        batch: most examples of a step.
        epochs: how often each is learnt.
        seed: names the order.
    """
    by_prefix: dict[Tokens, list[int]] = {}
    for number, example in enumerate(examples):
        by_prefix.setdefault(example.prefix, []).append(number)
    batches: list[list[int]] = []
    for epoch in range(epochs):
        mine: list[list[int]] = []
        for numbers in by_prefix.values():
            order = sorted(numbers, key=lambda one: (length_of(examples[one]), rank(seed, epoch, one)))
            mine += [order[start : start + batch] for start in range(0, len(order), batch)]
        batches += sorted(mine, key=lambda step: rank(seed, epoch, *step))
    return batches


def length_of(example: SuffixExample) -> int:
    """Tokens that are computed for it, and its last one."""
    return len(example.suffix) + len(example.answer)


def common_start(suffixes: Sequence[Tokens]) -> Tokens:
    """The tokens all begin with: the chat template's after the prefix, and the request's first words."""
    first, last = min(suffixes), max(suffixes)
    same = takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False))
    return tuple(token for token, _ in same)


def spread(examples: Sequence[SuffixExample], most: int) -> Sequence[SuffixExample]:
    """At most so many, from all parts of the sequence."""
    return examples[:: max(1, -(-len(examples) // most))]
