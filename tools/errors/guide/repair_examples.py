"""Repaired examples for a prompt: those of the error types at hand, the likest question first."""

from collections.abc import Iterable

from rapidfuzz import fuzz

from critiql.tools.errors.guide.corpus import Corpus
from critiql.tools.errors.types.catalogue import in_priority
from critiql.tools.errors.types.error_type import ErrorType, RepairExample
from critiql.tools.schema.quoting import escape


def examples_for(
    keys: Iterable[str],
    question: str = "",
    *,
    each: int = 1,
    corpus: Corpus | None = None,
    database: str = "",
) -> list[str]:
    """Texts of examples for some error types, in the order of repair.

    Args:
        keys: keys of the error types.
        question: examples whose question shares more words with it come first.
        each: examples for each type.
        corpus: repairs to retrieve from; a type that it has none of takes the hand-written example.
        database: stem of the database asked; repairs on the same one are not shown.
    """
    return [
        render(error, example)
        for error in in_priority(keys)
        for example in sorted(
            _of(error, corpus or {}, database),
            key=lambda e: -fuzz.token_set_ratio(e.question.casefold(), question.casefold()),
        )[:each]
    ]


def _of(error: ErrorType, corpus: Corpus, database: str) -> Iterable[RepairExample]:
    retrieved = [one for one in corpus.get(error.key, ()) if not database or one.database != database]
    return retrieved or error.examples


def render(error: ErrorType, example: RepairExample) -> str:
    """One example in four lines."""
    question, wrong, reason, right = map(escape, example[:4])
    return f"Question: {question}\nWrong: {wrong}\n{error.name}: {reason}\nRight: {right}"
