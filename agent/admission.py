"""What a run's settings may name where they came over a network: models that are offered, and no file."""

from typing import Any

from critiql.agent.context import DEFAULT_MODEL, Context
from critiql.tools.models.model import ModelError
from critiql.tools.served import Served, served

FILES = ("examples", "detector_head", "repairs")
"""Settings that name a file of this machine."""


def admitted(context: Context) -> Context:
    """The settings as a server takes them; the settings themselves where this process serves nobody.

    Raises:
        ModelError: they name a model that is not offered, or a file.
    """
    offered = served()
    if offered is None:
        return context
    named = [name for name in FILES if getattr(context, name) not in ("", _own(offered, name))]
    if named:
        raise ModelError(f"{named[0]} names a file, which a server takes from nobody. Leave it out.")
    chosen: dict[str, Any] = {"examples": offered.examples, "model": _model(context, offered)}
    if offered.users:  # who is answered from memory learns what somebody else asked
        chosen["answer_cache"] = False
    admitted_context = context.model_copy(update=chosen)
    for model in _models(admitted_context):
        if model not in offered.models:
            known = ", ".join(offered.models)
            raise ModelError(f"The model {model[:80]!r} is not offered here. There are: {known}.")
    return admitted_context


def _own(offered: Served, name: str) -> str:
    return offered.examples if name == "examples" else ""


def _model(context: Context, offered: Served) -> str:
    """Nobody who leaves the model out asks for the one that a run would take without a server."""
    left_out = context.model == DEFAULT_MODEL and DEFAULT_MODEL not in offered.models
    return offered.models[0] if left_out and offered.models else context.model


def _models(context: Context) -> list[str]:
    """Every model that the settings name."""
    single = (value for name, value in context if name == "model" or name.endswith("_model"))
    return [*filter(None, single), *context.panel]
