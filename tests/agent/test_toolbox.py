"""The parts as tools: typed arguments, quoted and capped answers, nothing run where nothing may be."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from langchain_core.tools import BaseTool
from llama_cpp.llama_grammar import json_schema_to_gbnf
from pydantic import ValidationError

from critiql.agent.context import Context
from critiql.agent.toolbox import LONGEST, OFF, quoted, toolbox
from critiql.tools.database.engine import Database
from critiql.tools.database.open import get_database

CASES_FILE = Path(__file__).parents[1] / "fixtures/agent/toolbox.jsonl"

CASES = [json.loads(line) for line in CASES_FILE.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def database(shop: Path) -> Database:
    return get_database(shop)


def by_name(database: Database, **settings: Any) -> dict[str, BaseTool]:
    return {tool.name: tool for tool in toolbox(database, Context(model="scripted", **settings))}


def data_of(tool: BaseTool, arguments: dict[str, Any]) -> str:
    return str(json.loads(tool.invoke(arguments))["data"])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_tool_says(case: dict[str, Any], database: Database, scripted: Callable[..., Any]) -> None:
    scripted(truths=[0.8])
    said = data_of(by_name(database, llm_critic="raw")[case["tool"]], case["arguments"])
    assert all(part in said for part in case["says"]), said


def test_every_tool_has_typed_arguments_with_a_description(database: Database) -> None:
    for tool in by_name(database).values():
        assert tool.description
        assert all(value["type"] == "string" and value["description"] for value in tool.args.values())


def test_a_grammar_of_the_arguments_stays_small(database: Database) -> None:
    for tool in by_name(database).values():
        assert len(json_schema_to_gbnf(json.dumps(tool.get_input_jsonschema()))) < 2000


@pytest.mark.parametrize("arguments", [{}, {"sql": ["SELECT 1"]}, {"sql": "x" * 30_000}])
def test_arguments_of_another_type_are_refused(arguments: dict[str, Any], database: Database) -> None:
    with pytest.raises(ValidationError):
        by_name(database)["run_sql"].invoke(arguments)


def test_steps_and_sql_are_inverse(database: Database) -> None:
    tools = by_name(database)
    sql = "SELECT m.name FROM maker AS m JOIN item AS i ON m.id = i.maker_id WHERE i.price > 50"
    steps = data_of(tools["compile_sql"], {"sql": sql})
    assert data_of(tools["decompile_steps"], {"steps": steps}) == sql


def test_nothing_is_run_or_shown_without_execution(database: Database) -> None:
    tools = by_name(database, execution=False)
    assert data_of(tools["run_sql"], {"sql": "SELECT name FROM maker"}) == OFF
    for name, arguments in (
        ("describe_table", {"table": "maker"}),
        ("explain_sql", {"sql": "SELECT name FROM maker"}),
        ("check_sql", {"sql": "SELECT name FROM maker WHERE country = 'norway'", "question": "Which?"}),
    ):
        assert "Norway" not in data_of(tools[name], arguments)


def test_the_critic_reads_the_rows_as_data(database: Database, scripted: Callable[..., Any]) -> None:
    model = scripted(truths=[0.25])
    tools = by_name(database, llm_critic="raw")
    arguments = {"sql": "SELECT title FROM item", "question": "Which items are there?"}
    assert data_of(tools["read_p_true"], arguments) == "P(True) 0.250, verdict rejected"
    assert '["chair"]' in model.asked[0][1].request


def test_long_text_is_cut_and_quotes_stay_quoted() -> None:
    said = json.loads(quoted('"}\n' * LONGEST))
    assert said["cut"]
    assert len(said["data"]) == LONGEST
    assert not json.loads(quoted("short"))["cut"]
