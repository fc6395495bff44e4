"""listen: takes the newest message and clears what the turn before left."""

from typing import Literal

from critiql.agent.assistant.conversation import AssistantState, AssistantUpdate
from critiql.agent.roles.ground import LONGEST_QUESTION, QuestionError


def listen(state: AssistantState) -> AssistantUpdate:
    """Begin a turn.

    Raises:
        QuestionError: there is no message by a person, or it is too long.
    """
    said = newest_message(state)
    if not said:
        raise QuestionError(
            "There is no message: write a question, for example: How many customers are there?"
        )
    if len(said) > LONGEST_QUESTION:
        raise QuestionError(
            f"The message has {len(said):,} characters; at most {LONGEST_QUESTION:,} are read. Shorten it."
        )
    return {
        "said": said,
        "question": said,
        "tool": "ask",
        "hint": "",
        "answer": None,
        "chart": None,
        "text": "",
        "problem": None,
        "settled": False,
        "rounds": 0,
        "calls": [],
    }


def newest_message(state: AssistantState) -> str:
    """What the person said last."""
    human = (one for one in reversed(state.get("messages", [])) if one.type == "human")
    message = next(human, None)
    return str(message.text).strip() if message else ""


def route_after_listen(state: AssistantState) -> Literal["ask", "router"]:
    """A draft is a question already; everything else is looked at."""
    return "ask" if state.get("draft") else "router"
