"""Repaired examples for a prompt: those of the error types at hand, the likest question first."""

from collections.abc import Iterable

from rapidfuzz import fuzz

from critiql.tools.errors.types.catalogue import in_priority
from critiql.tools.errors.types.error_type import ErrorType, RepairExample


def examples_for(keys: Iterable[str], question: str = "", *, each: int = 1) -> list[str]:
    """Texts of examples for some error types, in the order of repair.

    Args:
        keys: keys of the error types.
        question: examples whose question shares more words with it come first.
        each: examples for each type.
    """
    return [
        render(error, example)
        for error in in_priority(keys)
        for example in sorted(
            error.examples, key=lambda e: -fuzz.token_set_ratio(e.question.casefold(), question.casefold())
        )[:each]
    ]


def render(error: ErrorType, example: RepairExample) -> str:
    """One example in four lines."""
    return (
        f"Question: {example.question}\nWrong: {example.wrong}\n{error.name}: {example.reason}\n"
        f"Right: {example.right}"
    )
