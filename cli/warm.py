"""Asking the server that runs on this machine, whose model is loaded, instead of loading one."""

from collections.abc import AsyncIterator
from typing import Any

from critiql.agent.answer import Answer
from critiql.agent.events import AnyEvent

KEPT_HERE = ("checkpoint", "redact", "draft")
"""Options of a question that only this process can fulfil."""
FILES = ("examples", "detector_head", "repairs")
"""Settings that name a file, which a server takes from nobody."""


def warm_question(question: str, db: str, options: dict[str, Any]) -> tuple[Any, dict[str, Any]] | None:
    """The running server and what it is asked; None where there is none for this question."""
    context = options["context"]
    here = any(options.get(name) for name in KEPT_HERE) or any(getattr(context, name) for name in FILES)
    if here:
        return None
    from critiql.server.running import find_running

    running = find_running()
    name = running.name_of(db) if running else None
    if running is None or name is None:
        return None
    settings = context.model_dump(mode="json", exclude_defaults=True)
    models = [value for key, value in settings.items() if key == "model" or key.endswith("_model")]
    if any(model not in running.models for model in [context.model, *models]):
        return None
    asked = {
        "question": question,
        "database": name,
        "graph": options["graph"],
        "evidence": options["evidence"],
        "settings": settings,
    }
    return running, asked


async def warm_stream(running: Any, asked: dict[str, Any]) -> AsyncIterator[AnyEvent | Answer]:
    """The server's trace and answer, as `stream` yields them.

    Raises:
        ServerError: it refused, or broke off.
    """
    from critiql.server.running import ask_running

    for item in ask_running(running, asked):
        yield item
