"""The trace of a turn, on the custom stream; and in sentences, as messages, for another agent.

Agent2Agent has no place for our events: LangGraph's server makes that protocol's status updates of streamed
messages only. So a run that it began tells each step as a message, which enters no state.
In every other door these messages are not sent: a chat shows the answer, and not each step.
"""

from typing import Any
from uuid import uuid4

from langchain_core.messages import AIMessage
from langgraph.config import get_config, get_stream_writer
from langgraph.graph.message import push_message

from critiql.agent.events import Event, emit, forward, stream_writer
from critiql.agent.wording.progress import said_of

AGENT = "a2a"
"""The key by which LangGraph's server marks the metadata of a run that another agent asked for."""


def tell(event: Event) -> None:
    """An event of this graph's own; outside a run there is nobody to tell."""
    if stream_writer() is None:
        return
    emit(event)
    _tell_agent(event.model_dump(mode="json"))


def pass_on(event: dict[str, Any]) -> None:
    """An event of the graph within, as one of this graph's own."""
    forward(event, get_stream_writer())
    _tell_agent(event)


def _tell_agent(event: dict[str, Any]) -> None:
    """What happened, as a message of its own to another agent; nothing where an event has no sentence."""
    if AGENT not in get_config().get("metadata", {}):
        return
    if said := said_of(event):
        push_message(AIMessage(said, id=str(uuid4())), state_key=None)
