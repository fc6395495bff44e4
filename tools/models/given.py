"""Models that a caller gives as objects: they stand for their names in one run, and in no other."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

from critiql.tools.models.model import LanguageModel

Given = Mapping[str, LanguageModel]
"""Name -> the model it stands for."""

_given: ContextVar[Given | None] = ContextVar("given models", default=None)


@contextmanager
def use_given_models(models: Given | None) -> Iterator[None]:
    """Let names stand for these models in this block; other threads and tasks do not see it."""
    token = _given.set(models)
    try:
        yield
    finally:
        _given.reset(token)


def given_model(name: str) -> LanguageModel | None:
    """The model given under that name, where there is one."""
    return (_given.get() or {}).get(name)
