"""Each graph shows and takes the settings that it uses, and says what is near a wrong one."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from critiql.agent.assistant.conversation import Choices
from critiql.agent.context import Context
from critiql.agent.graph_contexts import CONTEXTS, SingleShotContext, narrowed
from critiql.graphs.catalogue import GRAPHS, graph

CASES = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "fixtures" / "agent" / "settings_of_graphs.jsonl")
    .read_text("utf-8")
    .splitlines()
]


def test_every_graph_has_settings_of_its_own_and_every_setting_a_graph() -> None:
    assert list(CONTEXTS) == list(GRAPHS)
    taken = {name for kind in CONTEXTS.values() for name in kind.taken()}
    assert set(Context.model_fields) - taken == {"assistant_model"}


@pytest.mark.parametrize("name", GRAPHS)
def test_studio_shows_what_a_graph_takes(name: str) -> None:
    kind = CONTEXTS[name]
    assert graph(name).builder.context_schema is kind
    assert list(graph(name).get_context_jsonschema()["properties"]) == list(kind.taken())


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['graph']}-{'-'.join(case['given'])}")
def test_what_a_graph_takes(case: dict[str, Any]) -> None:
    kind = CONTEXTS[case["graph"]]
    if "says" not in case:
        assert kind.model_validate(case["given"]).model_dump(exclude_unset=True) == case["given"]
        return
    with pytest.raises(ValidationError) as told:
        kind.model_validate(case["given"])
    assert case["says"] in told.value.errors()[0]["msg"]


def test_settings_of_all_graphs_are_narrowed_to_those_of_one() -> None:
    found = narrowed("single_shot", Context(model="m", refine=True))
    assert (type(found), found.model, found.refine) == (SingleShotContext, "m", False)


def test_a_graph_keeps_its_own_defaults_and_takes_what_was_set() -> None:
    assert narrowed("ac_sql", Context()).llm_critic == "raw"
    assert narrowed("ac_sql", Context(llm_critic="calibrated")).llm_critic == "calibrated"


def test_a_conversation_ignores_what_it_does_not_know() -> None:
    made = Choices.of({"graph": "single_shot", "refine": True, "temperature": 0.3, "seed": 7})
    assert (made.settings.refine, made.settings.seed) == (True, 7)
