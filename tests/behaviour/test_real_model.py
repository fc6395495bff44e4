"""Every graph with a real small model, and the README's question with the default one."""

from pathlib import Path

import pytest

from critiql.agent.context import Context
from critiql.graphs.api import ask
from critiql.graphs.catalogue import GRAPHS

SMALL = Context(
    model="qwen2.5-coder-0.5b-instruct", second_model="smollm2-135m-instruct", z=2, max_tokens=60, refine=True
)


@pytest.mark.model
@pytest.mark.parametrize("name", GRAPHS)
def test_every_graph_answers(name: str, shop: Path) -> None:
    answer = ask("How many items are there?", shop, graph=name, context=SMALL)
    assert answer.status in ("accepted", "unverified", "failed")
    assert answer.sql
    assert answer.model_calls >= 1
    assert answer.generations <= 2 or name == "share"
    assert answer.events[0]["type"] == "grounded"
    assert answer.events[-1]["type"] == "answered"
    if answer.status != "failed":
        assert answer.columns


@pytest.mark.model
def test_the_readme_question_with_the_default_model() -> None:
    answer = ask("Which five customers spent the most?", context=Context())
    assert answer.status in ("accepted", "unverified")
    assert len(answer.rows) == 5
