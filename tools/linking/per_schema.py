"""What is worked out once for a schema and kept as long as it lives."""

import weakref
from collections.abc import Callable, Hashable
from typing import TypeVar, cast

from critiql.tools.schema.model import Schema

T = TypeVar("T")

_KEPT: dict[tuple[int, Hashable], object] = {}
"""By identity of the schema: its hash would go through every column."""


def per_schema(schema: Schema, name: Hashable, make: Callable[[], T]) -> T:
    """What `make` gives, the first time it is asked for under this name; two threads may both make it.

    Args:
        schema: what it belongs to.
        name: what it is, the same for every schema.
        make: works it out; it must keep no reference to the schema, which would never end.
    """
    key = (id(schema), name)
    if key not in _KEPT:
        _KEPT[key] = make()
        weakref.finalize(schema, _KEPT.pop, key, None)
    return cast("T", _KEPT[key])
