"""text_to_sql answers with what code mended of a query that runs, and asks the model no further."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from critiql.agent.context import Context
from critiql.graphs.api import ask

JOINED = "SELECT i.title FROM item AS i JOIN maker AS m ON i.maker_id = m.id WHERE i.price > 18"
KEY = "SELECT title FROM item WHERE maker_id = 2"
CASES = [
    ("Which items cost more than 18?", JOINED, "SELECT i.title FROM item AS i WHERE i.price > 18"),
    (
        "What is there by Birch?",
        KEY,
        "SELECT title FROM item WHERE maker_id = (SELECT id FROM maker WHERE name = 'Birch')",
    ),
    ("Which items of a maker cost more than 18?", JOINED, JOINED),
    (
        "Which items cost more than 18?",
        JOINED.replace("title", "titel"),
        "SELECT i.title FROM item AS i WHERE i.price > 18",
    ),
]


@pytest.mark.parametrize(("question", "written", "answered"), CASES)
def test_a_mended_query_is_the_answer(
    question: str, written: str, answered: str, scripted: Callable[..., Any], shop: Path
) -> None:
    model = scripted([written])
    found = ask(question, shop, context=Context(model="scripted", llm_critic="off", memory=False))
    assert found.sql == answered
    assert len(model.asked) == 1


def test_without_repairs_the_query_stays(scripted: Callable[..., Any], shop: Path) -> None:
    scripted([JOINED])
    context = Context(model="scripted", llm_critic="off", memory=False, rule_repair=False)
    assert ask("Which items cost more than 18?", shop, context=context).sql == JOINED
