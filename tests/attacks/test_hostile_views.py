"""Markup, control characters and instructions in cells, names and questions, in every view but the terminal.

The page in Chromium has tests/web/test_hostile_page.py; the terminal has test_hostile_display.py.
"""

import json
import re
import runpy
import sqlite3
from collections.abc import Callable, Iterator
from functools import partial
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
import pytest
from markdown_it import MarkdownIt
from mcp import Client
from mcp.server.mcpserver import MCPServer
from mcp.types import ElicitResult

from critiql.agent.assistant import readings
from critiql.agent.context import Context
from critiql.graphs.api import ask
from critiql.graphs.assistant import graph
from critiql.graphs.tool import as_tool
from critiql.server import library
from critiql.server import mcp as door
from critiql.server.app import make_app
from critiql.tools.schema.quoting import CONTROL
from critiql.tools.served import Served
from critiql.tools.settings import settings

pytestmark = pytest.mark.process

TESTS = Path(__file__).parents[1]
FILES = ("hostile_display.jsonl", "hostile_orders.jsonl")
TEXTS = [
    json.loads(line)["text"]
    for name in FILES
    for line in (TESTS / "fixtures" / "attacks" / name).read_text(encoding="utf-8").splitlines()
]
EACH = pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
WRITTEN = [text for text in TEXTS if not re.search(r"\n\s*\n|```|~~~", text)]
"""Those that a query of a model can hold: it ends at an empty line and at a fence."""
EACH_WRITTEN = pytest.mark.parametrize("text", WRITTEN, ids=range(len(WRITTEN)))
EVERYTHING = "SELECT * FROM shown"
WORDS = {"paragraph_open", "paragraph_close", "inline", "text", "softbreak", "hardbreak"}
BLOCKS = {
    "fence",
    *(f"{part}_{end}" for part in ("table", "thead", "tbody", "tr", "th", "td") for end in ("open", "close")),
}
PLAIN = {"model": "scripted", "llm_critic": "off", "abstain": False}
HTML_TAGS = {"p", "table", "thead", "tbody", "tr", "th", "td", "i", "pre", "code"}


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Columns called by the texts, tables called by them, and cells that hold them."""
    path = tmp_path_factory.mktemp("hostile") / "hostile.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute(f"CREATE TABLE shown ({', '.join(quoted(text) + ' TEXT' for text in TEXTS)})")
        connection.execute(f"INSERT INTO shown VALUES ({', '.join('?' for _ in TEXTS)})", TEXTS)
        for text in TEXTS:
            connection.execute(f"CREATE TABLE {quoted(text)} (id INTEGER)")
    connection.close()
    return path


@pytest.fixture(scope="module")
def offered(hostile: Path) -> Served:
    return Served(databases={"shop": str(hostile)}, models=("scripted",))


@pytest.fixture(scope="module")
def transport(offered: Served) -> httpx.ASGITransport:
    """The application that serves it, made once."""
    return httpx.ASGITransport(make_app(offered))


@pytest.fixture(scope="module")
def mcp_server() -> MCPServer[Any]:
    """The door for agents, made once."""
    return door.make_server()


@pytest.fixture
def served(offered: Served, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """This process serves it."""
    monkeypatch.setenv("CRITIQL_SERVED", offered.model_dump_json())
    settings.cache_clear()
    door._pending.clear()
    yield offered
    settings.cache_clear()


def only_shown(said: str) -> bool:
    """Whether nothing in a text can steer a reader or hide itself; lines may end."""
    return not CONTROL.search(said.replace("\n", ""))


def elements(markdown: str) -> set[str]:
    """The kinds of elements a reader of Markdown makes of a text."""
    reader = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    tokens = [part for token in reader.parse(markdown) for part in (token, *(token.children or ()))]
    return {token.type for token in tokens}


def is_words(markdown: str) -> bool:
    """Whether a chat shows words, tables and blocks of code, and follows no address."""
    fences = re.sub(r"(?ms)^(`{3,})\w*\n.*?^\1$", "", markdown)
    links = re.search(r"(?i)https?://|(?<!\\)@", fences)
    return elements(markdown) <= WORDS | BLOCKS and only_shown(markdown) and not links


@EACH
async def test_the_openai_protocol(
    text: str, served: Served, transport: httpx.ASGITransport, scripted: Callable[..., Any]
) -> None:
    """The question holds the text, and so do the thoughts, which front-ends read as Markdown too."""
    scripted([f"SELECT {quoted(text)} FROM shown -- {text.splitlines()[0]}"], [0.5])
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        body: dict[str, Any] = {"messages": [{"role": "user", "content": f"What is {text}?"}]}
        answered = await client.post("/v1/chat/completions", json=body)
        streamed = await client.post("/v1/chat/completions", json={**body, "stream": True})
    message = answered.json()["choices"][0]["message"]
    assert is_words(message["content"])
    assert is_words(message["reasoning_content"])
    assert only_shown(streamed.text)
    lines = [line for line in streamed.text.splitlines() if line]
    assert all(line.startswith("data: ") for line in lines)
    assert lines[-1] == "data: [DONE]"


async def test_the_servers_own_routes(
    served: Served, transport: httpx.ASGITransport, scripted: Callable[..., Any]
) -> None:
    scripted([EVERYTHING], [0.5])
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        question = {"question": "\n".join(TEXTS), "settings": PLAIN}
        answered = await client.post("/api/ask", json=question)
        file = await client.post("/api/export", json={"sql": EVERYTHING, "format": "csv"})
    lines = [line for line in answered.text.splitlines() if line]
    assert all(line.startswith(("event: ", "data: ")) for line in lines)
    assert only_shown(answered.text)
    answer = json.loads(lines[-1].removeprefix("data: "))
    assert answer["rows"] == [TEXTS], "JSON still holds the very texts"
    assert "attachment" in file.headers["content-disposition"]


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("ask", {"question": "\n".join(TEXTS)}),
        ("run", {"sql": EVERYTHING}),
        ("check", {"sql": EVERYTHING, "question": "\n".join(TEXTS)}),
        ("explain", {"sql": EVERYTHING}),
        ("describe", {}),
        ("run", {"sql": f"SELECT {quoted(TEXTS[0])}, nothing_{TEXTS[0]}"}),
        ("describe", {"table": "nothing \u202e\x1b[2J"}),
        ("run", {"sql": "SELECT 1", "database": "\u202e\x1b[2J"}),
    ],
    ids=lambda given: given if isinstance(given, str) else "",
)
async def test_results_of_mcp(
    tool: str,
    arguments: dict[str, str],
    served: Served,
    mcp_server: MCPServer[Any],
    scripted: Callable[..., Any],
) -> None:
    scripted([EVERYTHING], [0.5])
    told: list[str] = []

    async def note(_progress: float, _total: float | None, message: str | None) -> None:
        told.append(message or "")

    async with Client(mcp_server) as client:
        answered = await client.call_tool(tool, arguments, progress_callback=note)
    said = "".join(block.text for block in answered.content)  # type: ignore[union-attr]
    assert said
    assert only_shown(said)
    assert all(map(only_shown, told))
    if not answered.is_error:
        assert json.loads(said) == answered.structured_content
    if tool == "ask":
        assert told
        assert answered.structured_content is not None
        assert answered.structured_content["rows"] == [TEXTS]


async def test_resources_of_mcp(served: Served, mcp_server: MCPServer[Any]) -> None:
    async with Client(mcp_server) as client:
        table = await client.read_resource("schema://shown")
    assert only_shown(table.contents[0].text)  # type: ignore[union-attr]


FORMS = (
    "What is {}?",
    "SELECT {} FROM shown",
    "describe the table {}",
    "show rows of {}",
    "explain SELECT {} FROM shown",
    "check SELECT {} FROM shown",
)
"""What may be said to the assistant; each text is said in one of these, and all are said."""


@pytest.mark.parametrize("place", range(len(TEXTS)))
def test_messages_of_the_assistant(place: int, hostile: Path, scripted: Callable[..., Any]) -> None:
    scripted([EVERYTHING] * 4, [0.5])
    form, text = FORMS[place % len(FORMS)], TEXTS[place]
    said = form.format(quoted(text) if "SELECT" in form else text)
    given: Any = {"messages": [{"role": "user", "content": said}], "database": str(hostile)}
    final = graph.invoke(given, context={**PLAIN, "clarify": False})
    told = final["messages"][-1].text
    assert told
    assert is_words(told), told


class Tags(HTMLParser):
    """What a browser makes of HTML: its tags with their attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.attributes: list[Any] = []

    def handle_starttag(self, tag: str, attrs: list[Any]) -> None:
        self.seen.append(tag)
        self.attributes += attrs


def test_an_answer_in_a_notebook_and_as_markdown(hostile: Path, scripted: Callable[..., Any]) -> None:
    for sql in (
        EVERYTHING,
        f"{EVERYTHING} WHERE 1 = 0",
        "SELECT nothing -- </code><script>\u202e",
        *TEXTS[18:22],
    ):
        scripted([sql] * 8, [0.5])
        answer = ask("\n".join(TEXTS), hostile, context=Context.model_validate(PLAIN))
        reader = Tags()
        reader.feed(answer._repr_html_())
        assert set(reader.seen) <= HTML_TAGS
        assert reader.attributes == []
        assert only_shown(answer._repr_html_())
        assert is_words(answer.to_markdown())


@EACH_WRITTEN
async def test_assumptions(text: str, served: Served, hostile: Path, scripted: Callable[..., Any]) -> None:
    """What is said of a filter that leaves no row names the column and the value."""
    value = text.replace("'", "''")
    scripted([f"SELECT {quoted(text)} FROM shown WHERE {quoted(text)} || '{value}' = 'none'"] * 8)
    context = Context.model_validate(PLAIN)
    answer = ask("What is shown?", hostile, context=context)
    assert "No row is left after the filter" in " ".join(answer.assumptions)
    assert is_words(answer.to_markdown())
    html = answer._repr_html_()
    reader = Tags()
    reader.feed(html)
    assert set(reader.seen) <= HTML_TAGS
    assert reader.attributes == []
    assert only_shown(html)
    tool = as_tool(hostile, context=context)
    told = tool.invoke({"type": "tool_call", "id": "1", "name": tool.name, "args": {"question": "What?"}})
    assert json.loads(told.content)["assumptions"] == answer.assumptions
    assert only_shown(told.content)
    given: Any = {"messages": [{"role": "user", "content": "What is shown?"}], "database": str(hostile)}
    said = graph.invoke(given, context={**PLAIN, "clarify": False})["messages"][-1].text
    assert "No row is left" in said
    assert is_words(said), said


@EACH_WRITTEN
async def test_the_other_reading(
    text: str,
    served: Served,
    mcp_server: MCPServer[Any],
    scripted: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two queries that both stand are told apart by their steps, which name tables and columns."""
    monkeypatch.setattr(readings, "regard", lambda candidate: 1)
    drafts = [f"SELECT {quoted(text)} FROM shown", f"SELECT COUNT(*) FROM shown WHERE {quoted(text)} <> ''"]
    asked = partial(library.Asked, settings={**PLAIN, "z": 2, "llm_critic": "raw"})
    monkeypatch.setattr(library, "Asked", lambda *given: asked(*given))
    scripted(drafts, [0.1])
    asks: list[str] = []

    async def choose(_: Any, params: Any) -> ElicitResult:
        asks.append(params.message)
        return ElicitResult(action="accept", content={"reading": "B"})

    async with Client(mcp_server, elicitation_callback=choose) as client:
        answered = await client.call_tool("ask", {"question": "What is shown?"})
    assert len(asks) == 1
    assert is_words(asks[0]), asks[0]
    assert answered.structured_content is not None
    other = answered.structured_content["other_reading"]
    assert other["sql"] == drafts[0]
    assert is_words(other["words"]), other["words"]
    assert only_shown("".join(block.text for block in answered.content))  # type: ignore[union-attr]


async def test_a_web_application_of_ones_own(hostile: Path, scripted: Callable[..., Any]) -> None:
    """The example as it stands: text in the stream begins no event of its own."""
    scripted([EVERYTHING], [0.5])
    example = runpy.run_path(str(TESTS.parent / "examples/sse_app.py"))["app"]
    example.state.database, example.state.context = str(hostile), Context.model_validate(PLAIN)
    transport = httpx.ASGITransport(example)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        answered = await client.get("/ask", params={"question": "What is shown?"})
    lines = [line for line in answered.text.splitlines() if line]
    assert all(line.startswith(("event: ", "data: ")) for line in lines)
    assert lines.count("event: answer") == 1
    assert json.loads(lines[-1].removeprefix("data: "))["rows"] == [TEXTS]


def test_the_tool_of_an_agent(hostile: Path, scripted: Callable[..., Any]) -> None:
    scripted([EVERYTHING], [0.5])
    tool = as_tool(hostile, context=Context.model_validate(PLAIN))
    message = tool.invoke({"type": "tool_call", "id": "1", "name": tool.name, "args": {"question": "What?"}})
    assert json.loads(message.content)["rows"] == [TEXTS]
    assert only_shown(message.content)
