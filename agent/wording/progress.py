"""The trace as short sentences, for clients that show progress as text."""

from collections.abc import Mapping
from typing import Any

from critiql.agent.wording.sentence import counted, query_name
from critiql.agent.wording.trust import plain_reason
from critiql.tools.schema.quoting import escape

LONGEST = 300
"""Characters of a sentence."""


SENTENCES = {
    "rewritten": "Understood as: {question}",
    "candidate": "{query} ({origin}): {sql}",
    "abstained": "No answer: {reason}",
    "escalated": "Asking a larger model: {reason}.",
    "budget": "Stopped: the limit of {limit} is reached.",
}
"""What is said of an event, by its type."""
VERDICTS = {
    "accepted": "On a second look the model holds {query} for right.",
    "rejected": "On a second look the model doubts {query}.",
}
"""What is said of the LLM critic's verdict; one that is unknown says nothing."""


def said_of(event: Mapping[str, Any]) -> str:
    """What happened, in a sentence of plain text; empty for events that are too many to tell."""
    named = {**event, "query": query_name(event["id"])} if "id" in event else event
    said = " ".join(_sentence(named).split())
    return escape(said[:1].upper() + said[1:])[:LONGEST]


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
        return f"Errors in {event['query']}: {names}." if names else ""
    if kind == "displaced":
        old, new = query_name(event["incumbent"]), query_name(event["challenger"])
        return f"{new} takes the place of {old}: {plain_reason(event['reason'], old, new)}."
    return SENTENCES[kind].format(**event) if kind in SENTENCES else ""


def _executed(event: Mapping[str, Any]) -> str:
    if event["ok"]:
        return f"{event['query']} gave {counted(event['row_count'], 'row')}."
    return f"{event['query']} failed: {event['message']}"
