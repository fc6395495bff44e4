"""The Model Context Protocol in memory, in both eras of the protocol."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.client.extension import advertise
from mcp.server.apps import APP_MIME_TYPE, EXTENSION_ID
from mcp.types import ElicitResult

from critiql.agent.assistant import readings
from critiql.server import mcp as door
from critiql.tools.served import Served

ERAS = ("auto", "legacy")
COUNT = "SELECT COUNT(*) FROM item"
DISTINCT = "SELECT COUNT(DISTINCT maker_id) FROM item"
QUESTION = {"question": "How many items are there?"}


@pytest.fixture(params=ERAS)
def era(request: pytest.FixtureRequest, offered: Served) -> Iterator[str]:
    door._pending.clear()
    yield request.param
    door._pending.clear()


async def test_tools_have_typed_results(era: str) -> None:
    async with Client(door.make_server(), mode=era) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert set(tools) == {"ask", "run", "check", "refine", "explain", "describe"}
        assert all(tool.output_schema and tool.description for tool in tools.values())
        assert all(tool.annotations and tool.annotations.read_only_hint for tool in tools.values())
        ran = await client.call_tool("run", {"sql": COUNT})
        assert ran.structured_content is not None
        assert ran.structured_content["rows"] == [[3]]
        refused = await client.call_tool("run", {"sql": "DROP TABLE item"})
        assert refused.structured_content is not None
        assert refused.structured_content["kind"] == "denied"
        checked = await client.call_tool("check", {"sql": "SELECT titel FROM item"})
        assert checked.structured_content is not None
        assert checked.structured_content["repaired"] == "SELECT title FROM item"
        explained = await client.call_tool("explain", {"sql": COUNT})
        assert explained.structured_content is not None
        assert explained.structured_content["steps"][0]["rows"] == 3
        described = await client.call_tool("describe", {"table": "maker"})
        assert described.structured_content is not None
        assert [table["name"] for table in described.structured_content["tables"]] == ["maker"]


async def test_refine(era: str, scripted: Callable[..., Any]) -> None:
    scripted([COUNT], [0.9])
    given = {"sql": "SELECT titel FROM item WHERE id = 3", "question": "What is item 3?"}
    async with Client(door.make_server(), mode=era) as client:
        refined = await client.call_tool("refine", given)
    assert refined.structured_content is not None
    assert refined.structured_content["changed"]
    assert refined.structured_content["rows"] == [["lamp"]]


async def test_progress_comes_before_the_answer(era: str, scripted: Callable[..., Any]) -> None:
    scripted([COUNT], [0.9])
    told: list[tuple[float, str | None]] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        told.append((progress, message))

    async with Client(door.make_server(), mode=era) as client:
        answered = await client.call_tool("ask", QUESTION, progress_callback=note)
    assert answered.structured_content is not None
    assert answered.structured_content["rows"] == [[3]]
    assert answered.structured_content["database"] == "shop"
    assert [number for number, _ in told] == sorted({number for number, _ in told})
    assert any("SELECT" in (message or "") for _, message in told)


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every candidate that ran and returns other rows is a second reading."""
    monkeypatch.setattr(readings, "regard", lambda candidate: 1)


@pytest.fixture
def unsure(scripted: Callable[..., Any], two: None, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A model whose two drafts both stand."""
    model = scripted([COUNT, DISTINCT], [0.1])
    from critiql.server import library

    ask = library.Asked

    def two_drafts(question: str, database: str, graph: str, evidence: str) -> Any:
        return ask(question, database, graph, evidence, {"z": 2, "llm_critic": "raw"})

    monkeypatch.setattr(library, "Asked", two_drafts)
    return model


@pytest.mark.parametrize(("choice", "rows"), [("A", [[3]]), ("B", [[2]])])
async def test_the_person_is_asked_where_the_client_can_ask(
    era: str, unsure: Any, choice: str, rows: list[list[int]]
) -> None:
    asked: list[str] = []

    async def answer(context: Any, params: Any) -> ElicitResult:
        asked.append(params.message)
        return ElicitResult(action="accept", content={"reading": choice})

    async with Client(door.make_server(), mode=era, elicitation_callback=answer) as client:
        answered = await client.call_tool("ask", QUESTION)
    assert len(asked) == 1
    assert "A: " in asked[0]
    assert "B: " in asked[0]
    assert answered.structured_content is not None
    assert answered.structured_content["rows"] == rows
    drafts = sum(kind == "generate" for kind, _, _ in unsure.asked)
    assert drafts == 2, "the rounds of the protocol run no model again"


async def test_otherwise_the_likelier_reading_and_the_name_of_the_other(era: str, unsure: Any) -> None:
    async with Client(door.make_server(), mode=era) as client:
        answered = await client.call_tool("ask", QUESTION)
    assert answered.structured_content is not None
    assert answered.structured_content["rows"] == [[3]]
    assert answered.structured_content["other_reading"]["sql"] == DISTINCT
    assert door._pending == {}


async def test_resources_and_the_view(era: str) -> None:
    capable = [advertise(EXTENSION_ID, {"mimeTypes": [APP_MIME_TYPE]})]
    async with Client(door.make_server(), mode=era, extensions=capable) as client:
        table = await client.read_resource("schema://maker")
        assert "CREATE TABLE maker" in table.contents[0].text  # type: ignore[union-attr]
        view = await client.read_resource(door.VIEW)
        html = view.contents[0].text  # type: ignore[union-attr]
        assert "http://" not in html.replace("http://www.w3.org/2000/svg", ""), "nothing is fetched"
        assert "innerHTML" not in html


@pytest.mark.parametrize(
    ("tool", "arguments", "said"),
    [
        ("run", {"sql": COUNT, "database": "/etc/passwd"}, "is served here"),
        ("describe", {"table": "nothing"}, "no table"),
        ("ask", {"question": " "}, "no question"),
    ],
)
async def test_errors_are_sentences(era: str, tool: str, arguments: dict[str, Any], said: str) -> None:
    async with Client(door.make_server(), mode=era) as client:
        answered = await client.call_tool(tool, arguments)
    assert answered.is_error
    assert said in answered.content[0].text  # type: ignore[union-attr]
    assert "Traceback" not in answered.content[0].text  # type: ignore[union-attr]
    assert str(Path(__file__).parent) not in answered.content[0].text  # type: ignore[union-attr]
