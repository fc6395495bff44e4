"""The semantic detector: by the head and in words, on its own, and inside the graphs that ask it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from critiql.agent.context import Context
from critiql.agent.decide.incumbent import evidence
from critiql.agent.detect import heads as detector_heads
from critiql.agent.detect.semantic import keys_in
from critiql.graphs.api import ask
from critiql.graphs.catalogue import graph
from critiql.tools.errors.head import HeadError
from critiql.tools.models.model import ModelError, Prompt, Sampling, TransientModelError
from critiql.training.data.chat_examples import detector_prompts

CASES = [
    json.loads(line)
    for line in (Path(__file__).parents[2] / "fixtures/agent/error_tokens.jsonl").read_text().splitlines()
]
QUESTION = "How many items are there?"
RIGHT = "SELECT COUNT(*) FROM item"
WRONG = "SELECT COUNT(*) FROM item WHERE price > 50"
CONDITION_ERROR = 9


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_error_tokens_in_a_text(case: dict[str, Any]) -> None:
    assert keys_in(case["text"]) == case["keys"]


def accusing(words: str) -> Callable[[Prompt], list[int]]:
    """The rows of a head that accuses queries with these words of a condition error."""
    return lambda prompt: [CONDITION_ERROR] if words in prompt.request.split("Running it gave")[0] else [0]


def settings(head: Path, **more: Any) -> Context:
    return Context(model="scripted", semantic_detector="head", detector_head=str(head), **more)


def test_the_prompt_is_the_one_of_training(
    scripted: Callable[..., Any], showing: Callable[..., None], head_file: Path, shop: Path
) -> None:
    messy = "select  item.title from item where item.price >50 and item.title<>'x'"
    model = scripted([RIGHT])
    showing(model, accusing("nothing"))
    ask(QUESTION, shop, graph="error_llm", context=settings(head_file), draft=messy)
    asked = [prompt for operation, prompt, _ in model.asked if operation == "hidden_state"]
    canonical = "SELECT item.title FROM item WHERE item.price > 50 AND item.title <> 'x'"
    row = {"task": "detector", "database": str(shop), "sql": canonical, "question": QUESTION}
    assert asked == [prompt for _, prompt in detector_prompts([row])]
    assert f"SQL: {canonical}\n" in asked[0].request
    assert "Static checks found: function_error" in asked[0].request


def test_error_llm_refines_what_the_head_accuses(
    scripted: Callable[..., Any], showing: Callable[..., None], head_file: Path, shop: Path
) -> None:
    model = scripted([WRONG, RIGHT])
    showing(model, accusing("> 50"))
    found = ask(QUESTION, shop, graph="error_llm", context=settings(head_file))
    assert (found.sql, found.rows) == (RIGHT, [[3]])
    (finding,) = found.candidates[0]["findings"]
    assert (finding["type"], finding["source"]) == ("condition_error", "head")
    assert finding["probability"] == pytest.approx(0.9933, abs=1e-4)
    assert [call["role"] for call in found.calls] == ["actor", "error_detector", "refiner"]
    call = found.calls[1]
    assert (call["operation"], call["prompt_tokens"], call["cached_tokens"]) == ("hidden_state", 200, 150)
    told = [prompt.request for operation, prompt, _ in model.asked if operation == "generate"][-1]
    assert "Condition Error" in told
    sensed = [event for event in found.events if event["type"] == "sensed"]
    assert [(event["id"], event["source"], event["error"]) for event in sensed] == [(0, "head", "")]
    assert sensed[0]["correct"] == pytest.approx(0.0067, abs=1e-4)


def test_a_model_may_say_it_in_words(scripted: Callable[..., Any], shop: Path) -> None:
    scripted([WRONG, "[ERR_09], and maybe [ERR_99]", RIGHT])
    found = ask(
        QUESTION, shop, graph="error_llm", context=Context(model="scripted", semantic_detector="prompt")
    )
    assert found.sql == RIGHT
    assert [f["source"] for f in found.candidates[0]["findings"]] == ["prompt"]
    assert [call["role"] for call in found.calls] == ["actor", "error_detector", "refiner"]


def requests_of(model: Any) -> list[tuple[str, Sampling]]:
    """What the detector in words was asked, and how."""
    return [
        (prompt.request, s) for _, prompt, s in model.asked if "These errors are possible" in prompt.request
    ]


def test_a_detector_in_words_reads_graph_links_and_tree(scripted: Callable[..., Any], shop: Path) -> None:
    model = scripted([WRONG, "[ERR_00]"])
    given = Context(model="scripted", semantic_detector="prompt")
    ask("How many items cost more than 50?", shop, graph="error_llm", context=given)
    ((request, sampling),) = requests_of(model)
    graph, tree = request.split("Schema of the question:\n")[1].split(
        "Syntax tree, one numbered node a line:\n"
    )
    assert graph.startswith("item(id pk [1, 2, 3], price [20.0, 80.0, 15.5])\n")
    assert '"items": item' in graph
    assert "maker" not in graph
    assert "1 select\n2  count" in tree
    assert sampling.grammar is not None
    assert '"[ERR_00]" | error (" " error){0,4}' in sampling.grammar
    assert len({prompt.prefix for _, prompt, _ in model.asked}) == 1


@pytest.mark.parametrize(
    ("left_out", "absent", "present"),
    [
        ("graph", "Schema of the question", "1 select"),
        ("tree", "1 select", "item(id pk"),
        ("links", '"items": item', "maker("),
    ],
)
def test_each_part_can_be_left_out(
    scripted: Callable[..., Any], shop: Path, left_out: str, absent: str, present: str
) -> None:
    model = scripted([WRONG, "[ERR_00]"])
    parts = [part for part in ("graph", "links", "tree") if part != left_out]
    given = Context(
        model="scripted", semantic_detector="prompt", detector_parts=parts, detector_constrained=False
    )
    ask("How many items cost more than 50?", shop, graph="error_llm", context=given)
    ((request, sampling),) = requests_of(model)
    assert absent not in request
    assert present in request
    assert sampling.grammar is None


def test_where_no_row_may_be_read_the_graph_has_no_values(scripted: Callable[..., Any], shop: Path) -> None:
    model = scripted([WRONG, "[ERR_00]"])
    given = Context(model="scripted", semantic_detector="prompt", execution=False)
    ask("Which chair is the cheapest?", shop, graph="error_llm", context=given)
    ((request, _),) = requests_of(model)
    assert "item(id pk, price)" in request
    assert "20.0" not in request


def test_what_a_rule_proves_is_not_said_twice(
    scripted: Callable[..., Any], showing: Callable[..., None], head_file: Path, shop: Path
) -> None:
    showing(scripted(["SELECT titel FROM item", RIGHT]), lambda prompt: [1, CONDITION_ERROR])
    found = ask(QUESTION, shop, graph="error_llm", context=settings(head_file))
    sources = [(f["type"], f["source"]) for f in found.candidates[0]["findings"]]
    assert sources == [("attribute_mismatch", "rule"), ("condition_error", "head")]


def test_the_flagship_tries_more_but_an_accusation_alone_displaces_nothing(
    scripted: Callable[..., Any], showing: Callable[..., None], head_file: Path, shop: Path
) -> None:
    model = scripted([RIGHT, WRONG, "SELECT 7"], [0.6])
    showing(model, accusing("COUNT(*) FROM item\n"))
    context = settings(head_file, llm_critic="raw", z=3)
    found = ask(QUESTION, shop, context=context)
    assert found.sql == RIGHT
    assert [candidate["sql"] for candidate in found.candidates] == [RIGHT, WRONG, "SELECT 7"]
    assert not any(decision["displaced"] for decision in found.decisions)
    assert evidence(found.candidates[0], found.candidates).findings == 0


def test_a_repeated_query_is_not_read_twice(
    scripted: Callable[..., Any], showing: Callable[..., None], head_file: Path, shop: Path
) -> None:
    model = scripted([RIGHT], [0.6])
    showing(model, accusing("COUNT"))
    found = ask(QUESTION, shop, context=settings(head_file, llm_critic="raw", z=3))
    assert [operation for operation, *_ in model.asked].count("hidden_state") == 1
    assert all(candidate["findings"] == found.candidates[0]["findings"] for candidate in found.candidates)


@pytest.mark.parametrize("error", [ModelError("it refused"), TransientModelError("it is busy")])
@pytest.mark.parametrize("name", ["error_llm", "text_to_sql"])
def test_a_model_that_fails_leaves_the_rules(
    name: str, error: Exception, scripted: Callable[..., Any], head_file: Path, shop: Path
) -> None:
    model = scripted([RIGHT], [0.9])
    calls: list[Prompt] = []

    def hidden_state(prompt: Prompt) -> Any:
        calls.append(prompt)
        raise error

    model.hidden_state = hidden_state
    found = ask(QUESTION, shop, graph=name, context=settings(head_file))
    assert (found.sql, found.candidates[0]["findings"]) == (RIGHT, [])
    assert [event["error"] for event in found.events if event["type"] == "sensed"] == [str(error)]
    assert len(calls) == (3 if isinstance(error, TransientModelError) else 1)


@pytest.mark.parametrize(
    ("shows", "head", "message"),
    [
        (False, True, "shows no hidden states"),
        (True, False, "No error-token head is shipped for the model scripted"),
    ],
)
def test_a_head_that_cannot_be_used_is_the_callers_to_know(
    shows: bool,
    head: bool,
    message: str,
    scripted: Callable[..., Any],
    showing: Callable[..., None],
    head_file: Path,
    shop: Path,
) -> None:
    model = scripted([RIGHT])
    if shows:
        showing(model, accusing(""))
    context = settings(head_file) if head else Context(model="scripted", semantic_detector="head")
    with pytest.raises(HeadError, match=message):
        ask(QUESTION, shop, graph="error_llm", context=context)


def test_a_head_of_another_model_is_refused(
    scripted: Callable[..., Any], showing: Callable[..., None], head_file: Path, shop: Path
) -> None:
    model = scripted([RIGHT])
    model.fingerprint = "another"
    showing(model, accusing(""))
    with pytest.raises(HeadError, match="was trained for the model 'scripted', not 'another'"):
        ask(QUESTION, shop, graph="error_llm", context=settings(head_file))


def test_a_shipped_head_is_found_by_model_and_prompt(
    scripted: Callable[..., Any],
    showing: Callable[..., None],
    head_file: Path,
    shop: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(detector_heads, "SHIPPED", head_file.parent)
    showing(scripted([WRONG, RIGHT]), accusing("> 50"))
    context = Context(model="scripted", semantic_detector="head")
    assert ask(QUESTION, shop, graph="error_llm", context=context).sql == RIGHT
    assert detector_heads.is_shipped("scripted")
    assert not detector_heads.is_shipped("another")


def test_beyond_the_budget_nothing_is_asked(
    scripted: Callable[..., Any], showing: Callable[..., None], head_file: Path, shop: Path
) -> None:
    model = scripted([RIGHT])
    showing(model, accusing(""))
    given: Any = {"question": QUESTION, "database": str(shop)}
    context = settings(head_file, seconds=1e-9)
    final = graph("error_llm").invoke(given, context=context)
    assert (final["sql"], final["candidates"][0]["findings"]) == (RIGHT, [])
    assert [operation for operation, *_ in model.asked] == ["generate"]


def test_off_asks_nothing_and_counts_nothing(
    scripted: Callable[..., Any], showing: Callable[..., None], shop: Path
) -> None:
    model = scripted([RIGHT], [0.9])
    showing(model, accusing("COUNT"))
    found = ask(QUESTION, shop, context=Context(model="scripted"))
    assert {operation for operation, *_ in model.asked} == {"generate"}
    assert "error_detector" not in found.usage()
    assert [event for event in found.events if event["type"] == "sensed"] == []


def test_share_weighs_by_rules_alone(
    scripted: Callable[..., Any], showing: Callable[..., None], head_file: Path, shop: Path
) -> None:
    edit = '{"edits": [{"op": "substitute", "line": 2, "action": "agg(COUNT(item.id))"}]}'
    model = scripted([RIGHT, "", edit], [0.5])
    showing(model, accusing("COUNT"))
    ask(QUESTION, shop, graph="share", context=settings(head_file))
    assert "hidden_state" not in [operation for operation, *_ in model.asked]
