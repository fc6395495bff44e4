"""What a run may read: the lists of the context reach the engine and the prompts."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from critiql.agent.context import Context
from critiql.graphs.api import ask
from critiql.graphs.catalogue import GRAPHS

DENIED = {"deny_tables": ("maker",), "deny_columns": ("item.price",)}
ALLOWED = {"allow_tables": ("item",), "deny_columns": ("item.price",)}


@pytest.mark.parametrize("lists", [DENIED, ALLOWED], ids=["denied", "not allowed"])
@pytest.mark.parametrize("name", GRAPHS)
def test_what_is_denied_is_neither_shown_nor_read(
    name: str, lists: dict[str, Any], scripted: Callable[..., Any], shop: Path
) -> None:
    links = ["item: id"] if name == "din_sql" else []
    model = scripted(
        [*links, "SELECT name FROM maker", "SELECT price FROM item", "SELECT * FROM item"], [0.1]
    )
    context = Context(model="scripted", llm_critic="raw", z=3, **lists)
    found = ask("How many items are there?", shop, graph=name, context=context)
    assert found.candidates[0]["sql"] == "SELECT name FROM maker"
    assert "Alder" not in repr(found)
    assert "80.0" not in repr(found)
    prefixes = {prompt.prefix for _, prompt, _ in model.asked}
    assert not any("maker (" in prefix or "price" in prefix for prefix in prefixes)
    assert all("lamp" in prefix for prefix in prefixes), "the rest is shown"


def test_without_lists_everything_is_read(scripted: Callable[..., Any], shop: Path) -> None:
    scripted(["SELECT name FROM maker WHERE id = 1"])
    found = ask("Which maker has the number 1?", shop, context=Context(model="scripted", llm_critic="off"))
    assert found.rows == [["Alder"]]
