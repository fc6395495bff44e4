"""What the shell offers when a person presses Tab: graphs, models, settings, data sets, verified pairs.

`critiql --install-completion` switches it on. Nothing here opens a database or loads a model.
"""

import json
from collections.abc import Iterator
from typing import Any

Offered = Iterator[str | tuple[str, str]]
"""Words, some with a line of help."""


def complete_graph(incomplete: str) -> Offered:
    """Graphs; of several with commas between them, the last."""
    from critiql.graphs.catalogue import GRAPHS

    before, comma, last = incomplete.rpartition(",")
    return ((f"{before}{comma}{name}", line) for name, line in GRAPHS.items() if name.startswith(last))


def complete_model(incomplete: str) -> Offered:
    """Models with a name."""
    from critiql.tools.models.files.registry import registry

    return ((one.name, one.about) for one in registry().models if one.name.startswith(incomplete))


def complete_setting(incomplete: str) -> Offered:
    """Settings of a run; behind `name=`, the values that it may have where they can be listed."""
    from critiql.agent.context import Context

    fields = Context.model_json_schema()["properties"]
    name, equals, value = incomplete.partition("=")
    if not equals:
        return (
            (f"{one}=", " ".join(fields[one].get("description", "").split()))
            for one in fields
            if one.startswith(name)
        )
    return (f"{name}={one}" for one in _values(fields.get(name, {})) if one.startswith(value))


def complete_data(incomplete: str) -> Offered:
    """Tasks and data sets."""
    from critiql.evals.data.datasets import DATASETS
    from critiql.evals.data.task import names

    return (name for name in sorted({*names(), *DATASETS}) if name.startswith(incomplete))


def complete_pair(incomplete: str) -> Offered:
    """Verified pairs by name."""
    from critiql.agent.memory.verified import VerifiedError, read_memory

    try:
        kept = read_memory().kept
    except VerifiedError:
        kept = []
    return ((one.name, one.pair.question) for one in kept if one.name.startswith(incomplete))


def _values(field: dict[str, Any]) -> list[str]:
    """What a field may be, where that can be listed."""
    if field.get("type") == "boolean":
        return ["true", "false"]
    return [one if isinstance(one, str) else json.dumps(one) for one in field.get("enum", [])]
