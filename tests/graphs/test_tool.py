"""Critiql as a tool: JSON for the model, the whole answer for the program, errors as text."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from critiql.agent.answer import Answer
from critiql.agent.context import Context
from critiql.graphs.tool import SHOWN_ROWS, as_tool

PLAIN = Context(model="scripted", llm_critic="off")
MANY = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40) SELECT i FROM n"


def call(question: str) -> dict[str, Any]:
    return {"type": "tool_call", "id": "1", "name": "ask_database", "args": {"question": question}}


async def test_the_model_reads_little_and_the_program_gets_all(
    scripted: Callable[..., Any], shop: Path
) -> None:
    scripted([MANY])
    tool = as_tool(shop, context=PLAIN)
    for message in (tool.invoke(call("Which items?")), await tool.ainvoke(call("Which items?"))):
        told = json.loads(message.content)
        assert len(told["rows"]) == SHOWN_ROWS
        assert told["rows_cut"]
        assert len(Answer.model_validate(message.artifact).rows) == 40


def test_an_error_is_the_tools_text() -> None:
    message = as_tool("/nowhere.sqlite", context=PLAIN).invoke(call("Which items?"))
    assert message.status == "error"
    assert "/nowhere.sqlite" in message.content
