"""reply: says the turn's text and remembers the turn."""

from typing import Any

from langchain_core.messages import AIMessage

from critiql.agent.assistant.conversation import (
    KEPT_ROWS,
    KEPT_TURNS,
    AssistantState,
    AssistantUpdate,
    Turn,
)
from critiql.agent.wording.sentence import plain


def reply(state: AssistantState) -> AssistantUpdate:
    """Close the turn."""
    text = spoken(state)
    turn = Turn(
        said=state["said"],
        question=state["question"],
        tool=state["tool"],
        text=text,
        answer=remembered(state.get("answer")),
        chart=state.get("chart"),
    )
    turns = [*state.get("turns", []), turn][-KEPT_TURNS:]
    return {"messages": [AIMessage(text)], "text": text, "turns": turns, "draft": ""}


def spoken(state: AssistantState) -> str:
    """The text, under the question that was understood where it is not the one that was typed."""
    text = state.get("text", "")
    answer = state.get("answer") or {}
    if answer.get("other"):
        text += f"\n\nAnother reading: {answer['other']['words']}"
    understood = state["question"] != state["said"] and state["tool"] == "ask"
    return f"Understood as: {plain(state['question'])}\n\n{text}" if understood else text


def remembered(answer: dict[str, Any] | None) -> dict[str, Any] | None:
    """An answer with no more rows than a turn keeps."""
    if answer is None:
        return None
    cut = len(answer["rows"]) > KEPT_ROWS
    return {**answer, "rows": answer["rows"][:KEPT_ROWS], "truncated": answer["truncated"] or cut}
