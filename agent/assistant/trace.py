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

from critiql.agent.events import forward
from critiql.agent.wording.progress import said_of

AGENT = "a2a"
"""The key by which LangGraph's server marks the metadata of a run that another agent asked for."""


def pass_on(event: dict[str, Any]) -> None:
    """An event of the graph within, as one of this graph's own."""
    forward(event, get_stream_writer())
    if AGENT in get_config().get("metadata", {}):
        _tell_agent(event)


def _tell_agent(event: dict[str, Any]) -> None:
    """What happened, as a message of its own; nothing where an event has no sentence."""
    if said := said_of(event):
        push_message(AIMessage(said, id=str(uuid4())), state_key=None)
