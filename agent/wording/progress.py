"""The trace as short sentences, for clients that show progress as text."""

from collections.abc import Mapping
from typing import Any

from critiql.agent.wording.sentence import counted
from critiql.agent.wording.trust import plain_reason
from critiql.tools.schema.quoting import escape

LONGEST = 300
"""Characters of a sentence."""


SENTENCES = {
    "rewritten": "Understood as: {question}",
    "candidate": "Query {id} ({origin}): {sql}",
    "abstained": "No answer: {reason}",
    "escalated": "Asking a larger model: {reason}.",
    "budget": "Stopped: the limit of {limit} is reached.",
}
"""What is said of an event, by its type."""
VERDICTS = {
    "accepted": "On a second look the model holds query {id} for right.",
    "rejected": "On a second look the model doubts query {id}.",
}
"""What is said of the LLM critic's verdict; one that is unknown says nothing."""


def said_of(event: Mapping[str, Any]) -> str:
    """What happened, in a sentence of plain text; empty for events that are too many to tell."""
    return escape(" ".join(_sentence(event).split()))[:LONGEST]


def _sentence(event: Mapping[str, Any]) -> str:
    kind = str(event.get("type"))
    if kind == "executed":
        return _executed(event)
    if kind == "judged":
        return VERDICTS.get(event["verdict"], "").format(**event)
    if kind == "grounded":
        return f"Read the schema: {counted(event['tables'], 'table')}."
    if kind == "detected":
        names = ", ".join(finding["type"] for finding in event["findings"])
        return f"Errors in query {event['id']}: {names}." if names else ""
    if kind == "displaced":
        old, new = f"query {event['incumbent']}", f"query {event['challenger']}"
        return f"Q{new[1:]} takes the place of {old}: {plain_reason(event['reason'], old, new)}."
    return SENTENCES[kind].format(**event) if kind in SENTENCES else ""


def _executed(event: Mapping[str, Any]) -> str:
    if event["ok"]:
        return f"Query {event['id']} gave {counted(event['row_count'], 'row')}."
    return f"Query {event['id']} failed: {event['message']}"
