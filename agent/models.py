"""Models given as objects: the settings name them, the run holds them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, get_args

from critiql.agent.context import Context, Role
from critiql.tools.exceptions import USAGE, CritiqlError
from critiql.tools.models.given import Given

if TYPE_CHECKING:  # langchain_core imports transformers and torch beside it, where they are installed
    from langchain_core.language_models import BaseChatModel

GivenModels = Mapping[str, "BaseChatModel | str"]
"""Role, or `model` for all roles -> a chat model of LangChain, or the name of a model."""

FIELDS = {"model": "model", **{role: f"{role}_model" for role in get_args(Role)}}
FIELDS["error_detector"] = "detector_model"
"""Role -> the setting that names its model."""


class UnknownRoleError(CritiqlError, ValueError):
    """There is no such role. The message lists those there are."""

    exit_code = USAGE


def with_models(context: Context, models: GivenModels | None) -> tuple[Context, Given]:
    """The settings with a name for each model that is given, and what the names of objects stand for.

    Raises:
        UnknownRoleError: a model is given to a role that there is not.
    """
    if not models:
        return context, {}
    from critiql.tools.models.chat_model import chat_name
    from critiql.tools.models.factory import from_chat_model

    names: dict[str, Any] = {}
    objects: dict[str, Any] = {}
    for role, given in models.items():
        if role not in FIELDS:
            raise UnknownRoleError(f"There is no role called {role!r}. There are: {', '.join(FIELDS)}.")
        name = given if isinstance(given, str) else chat_name(role, given)
        names[FIELDS[role]] = name
        if not isinstance(given, str):
            objects[name] = from_chat_model(name, given)
    return context.model_copy(update=names), objects
