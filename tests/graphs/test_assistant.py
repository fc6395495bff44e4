"""A conversation with a scripted model on a real database: tools, follow-ups, and a person who is asked."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from critiql.agent.assistant.last_answer import blank
from critiql.agent.context import Context
from critiql.agent.databases import run_candidate
from critiql.graphs.assistant import TraceOnEventStream, builder
from critiql.graphs.assistant import graph as stateless
from critiql.tools.database.open import get_database

COUNT = "SELECT COUNT(*) FROM item"
PLAIN = {"model": "scripted", "llm_critic": "off"}


class Chat:
    """A thread of the assistant."""

    def __init__(self, database: Path, **context: Any) -> None:
        self.graph = builder.compile(checkpointer=InMemorySaver(), transformers=[TraceOnEventStream])
        self.database = str(database)
        self.context: Any = {**PLAIN, **context}
        self.config: Any = {"configurable": {"thread_id": "one"}}
        self.trace: list[dict[str, Any]] = []
        self.shown: list[str] = []

    def say(self, text: str, **more: Any) -> dict[str, Any]:
        return self._run({"messages": [{"role": "user", "content": text}], "database": self.database, **more})

    def decide(self, decision: Any) -> dict[str, Any]:
        return self._run(Command(resume=decision))

    def _run(self, given: Any) -> dict[str, Any]:
        self.trace, self.shown, final = [], [], {}
        modes: Any = ["custom", "values", "messages"]
        for mode, part in self.graph.stream(given, self.config, context=self.context, stream_mode=modes):
            if mode == "custom":
                self.trace.append(part)
            elif mode == "messages":
                self.shown.append(part[0].text)
            else:
                final = part
        return final

    @property
    def types(self) -> list[str]:
        return [event["type"] for event in self.trace]


def decision(kind: str, **more: Any) -> dict[str, Any]:
    return {"decisions": [{"type": kind, **more}]}


def edit(name: str, **arguments: Any) -> dict[str, Any]:
    return decision("edit", edited_action={"name": name, "args": arguments})


@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
async def test_every_durability_of_checkpoints(
    scripted: Callable[..., Any], shop: Path, durability: Any
) -> None:
    scripted([COUNT])
    chat = Chat(shop)
    given: Any = {
        "messages": [{"role": "user", "content": "How many items are there?"}],
        "database": str(shop),
    }
    for graph_run in (chat.graph.invoke, chat.graph.ainvoke):
        final: Any = graph_run(given, chat.config, context=chat.context, durability=durability)
        final = final if isinstance(final, dict) else await final
        assert final["answer"]["rows"] == [[3]]


def test_a_question_shows_its_trace_and_one_message(scripted: Callable[..., Any], shop: Path) -> None:
    scripted([COUNT])
    chat = Chat(shop)
    final = chat.say("How many items are there?")
    assert final["answer"]["rows"] == [[3]]
    assert chat.types[0] == "routed"
    assert {"grounded", "writing", "candidate", "executed", "answered"} <= set(chat.types)
    assert chat.shown == [final["messages"][-1].text], "no draft reaches a chat"
    assert [turn["tool"] for turn in final["turns"]] == ["ask"]


def test_another_agent_is_told_each_step_as_a_message(scripted: Callable[..., Any], shop: Path) -> None:
    """As LangGraph's server marks its runs; the steps enter no state."""
    scripted([COUNT])
    chat = Chat(shop)
    chat.config["metadata"] = {"a2a": {}}
    final = chat.say("How many items are there?")
    assert chat.shown[:-1] == [
        "Read the schema: 2 tables.",
        f"Query 1 (actor): {COUNT}",
        "Query 1 gave 1 row.",
    ]
    assert chat.shown[-1] == final["messages"][-1].text
    assert [message.type for message in final["messages"]] == ["human", "ai"]


def test_another_agent_is_told_how_a_follow_up_was_understood_before_its_answer(
    scripted: Callable[..., Any], shop: Path
) -> None:
    model = scripted([COUNT])
    chat = Chat(shop)
    chat.config["metadata"] = {"a2a": {}}
    chat.say("How many items are there?")
    model.texts = ["How many items cost more than 50?", f"{COUNT} WHERE price > 50"]
    chat.say("and more than 50?")
    assert chat.shown[0] == "Understood as: How many items cost more than 50?"


def test_a_second_turn_that_needs_the_first(scripted: Callable[..., Any], shop: Path) -> None:
    model = scripted([COUNT])
    chat = Chat(shop)
    chat.say("How many items are there?")
    model.texts = ["How many items cost more than 50?", f"{COUNT} WHERE price > 50"]
    final = chat.say("and more than 50?")
    assert final["question"] == "How many items cost more than 50?"
    assert final["answer"]["rows"] == [[1]]
    assert final["messages"][-1].text.startswith("Understood as: How many items cost more than 50?")
    rewritten = next(event for event in chat.trace if event["type"] == "rewritten")
    assert rewritten["said"] == "and more than 50?"
    assert len(final["turns"]) == 2


@pytest.mark.parametrize(
    ("said", "word"), [("Hello", "Hello."), ("ok, thanks!", "Glad to help."), ("Great.", "Glad to help.")]
)
def test_who_greets_is_greeted_and_no_model_asked(
    said: str, word: str, scripted: Callable[..., Any], shop: Path
) -> None:
    model = scripted(["never asked"])
    final = Chat(shop).say(said)
    assert final["messages"][-1].text.startswith(f"{word} You can ask about ")
    assert (final["answer"], model.asked) == (None, [])


def test_a_follow_up_is_not_turned_away_as_foreign(scripted: Callable[..., Any], shop: Path) -> None:
    """It leans on a question that this database answered; alone, the same words are turned away."""
    foreign, unknown = "What was the weather like in Lisbon yesterday?", "SELECT forecast FROM weather"
    model = scripted([COUNT])
    chat = Chat(shop, z=1)
    chat.say("How many items are there?")
    model.texts = [foreign, unknown]
    final = chat.say("and what was it like in Lisbon?")
    assert final["question"] == foreign
    assert final["answer"]["status"] == "failed"
    model.texts = [unknown]
    alone = Chat(shop, z=1).say(foreign)
    assert alone["answer"]["status"] == "abstained"


def test_tools_of_the_last_answer_ask_no_model_and_run_no_new_query(
    scripted: Callable[..., Any], shop: Path
) -> None:
    model = scripted(["SELECT title, price FROM item"])
    chat = Chat(shop)
    chat.say("What does each item cost?")
    calls = len(model.asked)
    final = chat.say("draw a bar chart")
    assert final["chart"]["kind"] == "bar"
    assert final["answer"] is None
    assert chat.types == ["routed", "charted"]
    assert "scan(item)" in chat.say("explain it")["text"]
    assert "nothing found" in chat.say("check it")["text"]
    assert len(model.asked) == calls


@pytest.mark.parametrize(
    ("said", "tool", "holds"),
    [
        ("Which tables are there?", "tables", "item: 4 columns, 3 rows"),
        ("describe the item table", "describe", "CREATE TABLE item"),
        ("preview the maker table", "sample", '"Alder"'),
        ("preview the parrots", "sample", "Name one of them"),
        ("SELECT title FROM item WHERE id = 3", "run", "lamp"),
        ("DROP TABLE item; SELECT 1 FROM item", "run", "denied"),
        ("check SELECT titel FROM item", "check", "titel"),
        ("draw a chart of the last result please", "ask", ""),
    ],
)
def test_what_needs_no_answer_before(
    scripted: Callable[..., Any], shop: Path, said: str, tool: str, holds: str
) -> None:
    scripted([COUNT], [0.1])
    final = Chat(shop).say(said)
    assert final["tool"] == tool
    assert holds in final["text"] or holds in json.dumps(final["answer"])


def test_approval_runs_nothing_before_it(scripted: Callable[..., Any], shop: Path) -> None:
    scripted([COUNT])
    chat = Chat(shop, approve=True)
    request = chat.say("How many items are there?")["__interrupt__"][0].value
    assert request["action_requests"][0]["name"] == "run_sql"
    assert request["action_requests"][0]["args"] == {"sql": COUNT}
    assert request["review_configs"][0]["allowed_decisions"] == ["approve", "edit", "reject", "respond"]
    assert "executed" not in chat.types
    final = chat.decide(decision("approve"))
    assert final["answer"]["rows"] == [[3]]
    assert chat.types == ["reviewed", "executed"]


def test_an_edited_query_is_checked_and_sandboxed(scripted: Callable[..., Any], shop: Path) -> None:
    scripted([COUNT])
    chat = Chat(shop, approve=True)
    chat.say("How many items are there?")
    final = chat.decide(edit("run_sql", sql="DELETE FROM item"))
    assert final["answer"]["status"] == "failed"
    assert final["answer"]["rows"] == []
    chat.say("How many items are there in the shop?")
    final = chat.decide(edit("run_sql", sql="SELECT titel FROM item"))
    assert "The rules say of the edited query" in final["text"]
    assert "titel" in final["text"]


def test_rejection_and_a_word_of_the_person(scripted: Callable[..., Any], shop: Path) -> None:
    model = scripted([COUNT])
    chat = Chat(shop, approve=True)
    chat.say("How many items are there?")
    calls = len(model.asked)
    final = chat.decide(decision("reject", message="too early"))
    assert "was not run" in final["text"]
    assert final["answer"]["rows"] == []
    assert len(model.asked) == calls, "the node that interrupts calls no model"
    chat.say("How many items are there in the shop?")
    model.texts = [f"{COUNT} WHERE price > 50"]
    again = chat.decide(decision("respond", message="only those above 50"))
    assert again["__interrupt__"][0].value["action_requests"][0]["args"]["sql"].endswith("price > 50")
    assert "only those above 50" in model.asked[-1][1].request


READINGS = [COUNT, "SELECT COUNT(DISTINCT maker_id) FROM item", f"{COUNT} WHERE id > 0"]


@pytest.fixture
def asked_back(shop: Path) -> Callable[..., Any]:
    """A conversation whose last answer has two readings that stand."""

    def ask(choice: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        database = get_database(shop)
        candidates = [
            {
                "id": place,
                "sql": sql,
                "origin": "actor",
                "verdict": "unknown",
                "findings": [],
                "execution": run_candidate(database, sql, Context()),
            }
            for place, sql in enumerate(READINGS[:2])
        ]
        chat = Chat(shop)
        answer = {
            **blank("How many?", ""),
            "candidates": candidates,
            "incumbent": 0,
            "sql": COUNT,
            "rows": [[3]],
        }
        state = {
            "database": str(shop),
            "said": "How many?",
            "question": "How many?",
            "tool": "ask",
            "answer": answer,
            "last": answer,
            "text": "The COUNT is 3.",
            "review": "clarify",
        }
        chat.graph.update_state(chat.config, state, as_node="ask")
        first = chat._run(None)
        return first, chat.decide(choice)

    return ask


@pytest.mark.parametrize(
    ("choice", "rows", "left"),
    [
        (decision("approve"), [[3]], READINGS[1]),
        (decision("respond", message="B"), [[2]], READINGS[0]),
        (edit("clarify", reading=1), [[2]], READINGS[0]),
        ("B", [[2]], READINGS[0]),
        ({"decisions": "nonsense"}, [[3]], READINGS[1]),
    ],
    ids=["likelier", "said", "edited", "bare text", "nonsense"],
)
def test_a_person_chooses_a_reading(
    asked_back: Callable[..., Any], choice: Any, rows: list[list[int]], left: str
) -> None:
    first, final = asked_back(choice)
    request = first["__interrupt__"][0].value
    assert [reading["title"] for reading in request["action_requests"][0]["args"]["readings"]] == ["A", "B"]
    assert all(reading["words"] for reading in request["action_requests"][0]["args"]["readings"])
    assert final["answer"]["rows"] == rows
    assert final["answer"]["other"]["sql"] == left
    assert "Another reading:" in final["messages"][-1].text


@pytest.mark.parametrize(
    ("given", "context", "kind"),
    [
        ({"messages": []}, {}, "question"),
        ({"messages": [{"role": "user", "content": "x" * 9000}]}, {}, "question"),
        ({"database": "/nowhere.sqlite"}, {}, "database"),
        ({}, {"model": "nobody"}, "model"),
        ({}, {"z": 99}, "setting"),
        ({}, {"graph": "nothing"}, "graph"),
    ],
)
def test_a_turn_that_fails_says_why(shop: Path, given: Any, context: Any, kind: str) -> None:
    message = {"role": "user", "content": "How many items are there?"}
    whole: Any = {"messages": [message], "database": str(shop), **given}
    final = stateless.invoke(whole, context=context)
    assert final["problem"]["kind"] == kind
    assert final["problem"]["message"]
    assert final["answer"] is None
    assert "Traceback" not in final["messages"][-1].text


def test_unknown_keys_of_a_client_are_ignored(scripted: Callable[..., Any], shop: Path) -> None:
    scripted([COUNT])
    final = Chat(shop, thread_id="x", langgraph_auth_user=None).say("How many items are there?")
    assert final["answer"]["rows"] == [[3]]


async def test_the_trace_is_on_the_newest_event_protocol(scripted: Callable[..., Any], shop: Path) -> None:
    scripted([COUNT])
    given: Any = {
        "messages": [{"role": "user", "content": "How many items are there?"}],
        "database": str(shop),
    }
    with pytest.warns(Warning, match="v3"):
        stream = await stateless.astream_events(given, context=PLAIN, version="v3")
    types = [event["params"]["data"]["type"] async for event in stream if event["method"] == "custom"]
    assert {"routed", "grounded", "candidate", "answered"} <= set(types)
