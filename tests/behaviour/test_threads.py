"""Several questions on one thread: nothing of an earlier one leaks into the next."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver

from critiql.agent.context import Context
from critiql.graphs.catalogue import graph

CONTEXT = Context(model="scripted")


@pytest.fixture
def thread(shop: Path) -> Callable[..., Any]:
    """Ask on one thread: a chat message, or a question with perhaps a draft."""
    checkpointed = graph("text_to_sql").copy(update={"checkpointer": InMemorySaver()})

    def ask(**given: Any) -> Any:
        settings = {"configurable": {"thread_id": "one"}, "recursion_limit": 60}
        return checkpointed.invoke({"database": str(shop), **given}, settings, context=CONTEXT)

    return ask


def test_a_second_message_is_a_new_question(scripted: Callable[..., Any], thread: Callable[..., Any]) -> None:
    scripted(["SELECT COUNT(*) FROM item", "SELECT name FROM maker WHERE id = 2"], [0.5])
    first = thread(messages=[{"role": "user", "content": "How many items are there?"}])
    second = thread(messages=[{"role": "user", "content": "Who is maker 2?"}])
    assert (first["question"], first["rows"]) == ("How many items are there?", [[3]])
    assert (second["question"], second["rows"]) == ("Who is maker 2?", [["Birch"]])
    assert [candidate["id"] for candidate in second["candidates"]] == [0]
    assert [message.type for message in second["messages"]] == ["human", "ai", "human", "ai"]


def test_a_draft_is_used_once(scripted: Callable[..., Any], thread: Callable[..., Any]) -> None:
    scripted(["SELECT COUNT(*) FROM item"], [0.5])
    first = thread(question="What costs 80?", draft="SELECT title FROM item WHERE price = 80")
    second = thread(question="How many items are there?")
    assert first["rows"] == [["table"]]
    assert first["generations"] == 0
    assert second["rows"] == [[3]]
