"""How a part of the assistant becomes a node: it gets the conversation and the choices made for it."""

from collections.abc import Callable

from langchain_core.runnables import RunnableLambda
from langgraph.config import get_config
from langgraph.runtime import get_runtime

from critiql.agent.admission import admitted
from critiql.agent.assistant.conversation import (
    AssistantContext,
    AssistantState,
    AssistantUpdate,
    Choices,
)
from critiql.agent.context import Context
from critiql.agent.databases import database_of
from critiql.agent.node import MODELS, threaded
from critiql.agent.roles.ground import fitting, links_of, schema_prefix
from critiql.agent.state import State
from critiql.tools.database.engine import Database
from critiql.tools.models.given import use_given_models

Part = Callable[[AssistantState, Choices], AssistantUpdate]
"""A part of the assistant reads the conversation and the choices, and returns only what it changed."""


def desk(part: Part) -> RunnableLambda[AssistantState, AssistantUpdate]:
    """Wrap a part as a node that runs in a thread under asyncio."""

    def run(state: AssistantState) -> AssistantUpdate:
        with use_given_models(get_config().get("configurable", {}).get(MODELS)):
            return part(state, choices())

    return threaded(run, part.__name__)


def choices() -> Choices:
    """The choices of the run that calls.

    Raises:
        ValidationError, ModelError: a choice that may not be made.
    """
    made = Choices.of(get_runtime(AssistantContext).context)
    return made.model_copy(update={"settings": admitted(made.settings)})


def database_for(state: AssistantState, context: Context) -> Database:
    """The database that the conversation is about.

    Raises:
        DatabaseError: it cannot be opened.
    """
    return database_of(State(database=state.get("database", "")), context)


def prefix_for(text: str, database: Database, context: Context) -> str:
    """The first bytes of a prompt about this text: those of the run that answers it, which a model keeps.

    Raises:
        DatabaseError: the database cannot be read.
    """
    links = links_of(text, database, context)
    return schema_prefix(fitting(database.schema(), text, links, context), context)
