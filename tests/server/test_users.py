"""Users who share a server: nobody sees another's threads, runs, rows, files or memory."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from langgraph_sdk import get_sync_client
from mcp import Client
from served import ASKED, COUNT, PLAIN, QUESTION, Served, bearer, serving_shop
from typer.testing import CliRunner

from critiql.cli.main import app
from critiql.cli.screen import exit_codes

pytestmark = [pytest.mark.server, pytest.mark.enable_socket]

INES, BO = bearer("the-token-of-ines"), bearer("the-token-of-bo-.")
FOREIGN = json.loads((Path(__file__).parents[1] / "fixtures/server/foreign.json").read_text())
"""Requests about a thread or run of somebody else."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("users")
    users = folder / "users.txt"
    users.write_text("# who may ask\nines the-token-of-ines\nbo the-token-of-bo-.\n")
    users.chmod(0o600)
    with serving_shop(folder, "--users", str(users), "--allow-uploads") as running:
        yield running


@pytest.fixture
def ines(served: Served) -> Iterator[Any]:
    with get_sync_client(url=served.url, headers=INES, timeout=120) as opened:
        yield opened


@pytest.fixture
def bo(served: Served) -> Iterator[Any]:
    with get_sync_client(url=served.url, headers=BO, timeout=120) as opened:
        yield opened


@pytest.fixture
def hers(ines: Any) -> tuple[str, str]:
    """A thread of Ines with a run in it."""
    thread = ines.threads.create(metadata={"database": "shop"})["thread_id"]
    final = ines.runs.wait(thread, "assistant", input=ASKED, context=PLAIN)
    assert final["answer"]["rows"] == [[3]]
    return thread, ines.runs.list(thread)[0]["run_id"]


@pytest.mark.parametrize("case", FOREIGN, ids=lambda case: f"{case['method']} {case['path']}")
def test_what_is_somebody_elses_is_not_there(
    case: dict[str, Any], served: Served, hers: tuple[str, str]
) -> None:
    path = case["path"].replace("{thread}", hers[0]).replace("{run}", hers[1])
    text = json.dumps(case.get("json", {})).replace("{thread}", hers[0]).replace("{run}", hers[1])
    body = json.loads(text)
    given = None if case["method"] == "GET" else body
    url, seconds = f"{served.url}{path}", 20
    if case.get("own", 0) is not None:  # None: it would stream for as long as there is a thread
        own = httpx.request(case["method"], url, json=given, headers=INES, timeout=seconds)
        assert own.status_code < 400 or case["own"] == own.status_code, own.text
    other = httpx.request(case["method"], url, json=given, headers=BO, timeout=seconds)
    assert other.status_code in case.get("other", [403, 404]), other.text
    if other.status_code == 200:
        assert case.get("says", "404: Thread") in other.text
    assert QUESTION not in other.text
    assert COUNT not in other.text


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/threads/{thread}/stream"), ("POST", "/threads/{thread}/stream/events")]
)
def test_nobody_listens_in(method: str, path: str, served: Served, ines: Any) -> None:
    thread = ines.threads.create()["thread_id"]
    heard: dict[str, list[str]] = {"ines": [], "bo": []}

    def listen(name: str, headers: dict[str, str]) -> None:
        channels = {"channels": ["values", "custom", "messages"]} if method == "POST" else None
        url, patience = f"{served.url}{path.format(thread=thread)}", httpx.Timeout(10, read=4)
        with (
            suppress(httpx.ReadTimeout),
            httpx.stream(method, url, json=channels, headers=headers, timeout=patience) as told,
        ):
            heard[name].extend(told.iter_lines())

    ears = [threading.Thread(target=listen, args=one) for one in (("ines", INES), ("bo", BO))]
    for one in ears:
        one.start()
    time.sleep(0.5)
    ines.runs.wait(thread, "assistant", input=ASKED, context=PLAIN)
    for one in ears:
        one.join()
    assert COUNT in "".join(heard["ines"]), "the owner hears it"
    assert COUNT not in "".join(heard["bo"])
    assert QUESTION not in "".join(heard["bo"])


def test_lists_hold_ones_own(ines: Any, bo: Any, hers: tuple[str, str]) -> None:
    assert hers[0] in {one["thread_id"] for one in ines.threads.search(limit=100)}
    assert hers[0] not in {one["thread_id"] for one in bo.threads.search(limit=100)}
    stolen = bo.threads.search(metadata={"owner": "ines"}, limit=100)
    assert hers[0] not in {one["thread_id"] for one in stolen}


def test_an_owner_cannot_be_chosen(ines: Any, bo: Any) -> None:
    thread = bo.threads.create(metadata={"owner": "ines"})["thread_id"]
    bo.threads.update(thread, metadata={"owner": "ines"})
    assert thread not in {one["thread_id"] for one in ines.threads.search(limit=100)}
    assert thread in {one["thread_id"] for one in bo.threads.search(limit=100)}


def test_nobody_keeps_anything_common(ines: Any) -> None:
    for work in (
        lambda: ines.store.put_item(["notes"], "one", {"a": 1}),
        lambda: ines.store.search_items(["notes"]),
        lambda: ines.crons.create("assistant", schedule="0 0 * * *", input=ASKED),
        lambda: ines.assistants.create("assistant", context=PLAIN),
    ):
        with pytest.raises(httpx.HTTPStatusError, match="Forbidden"):
            work()


def test_agents_do_not_read_each_others_tasks(served: Served, ines: Any) -> None:
    assistant = ines.assistants.search(graph_id="assistant")[0]["assistant_id"]

    def call(method: str, headers: dict[str, str], **params: Any) -> dict[str, Any]:
        body = {"jsonrpc": "2.0", "id": "1", "method": method, "params": params}
        answered = httpx.post(f"{served.url}/a2a/{assistant}", json=body, headers=headers, timeout=60)
        found: dict[str, Any] = answered.json()
        return found

    part = {"kind": "text", "text": "Which tables are there?"}
    sent = {"role": "user", "messageId": "one", "parts": [part]}
    task = call("message/send", INES, message=sent)["result"]
    known = {"id": task["id"], "contextId": task["contextId"]}
    assert "item: 3 columns" in json.dumps(call("tasks/get", INES, **known))
    assert "item: 3 columns" not in json.dumps(call("tasks/get", BO, **known))
    more = {**sent, "messageId": "two", "contextId": task["contextId"]}
    assert "result" not in call("message/send", BO, message=more)


def test_a_question_is_not_answered_from_anothers_memory(served: Served) -> None:
    for headers in (INES, INES, BO):
        question = {"question": QUESTION, "settings": PLAIN}
        told = httpx.post(f"{served.url}/api/ask", json=question, headers=headers, timeout=60).text
        assert '"type": "recalled"' not in told
        assert '"rows": [[3]]' in told


def test_a_file_is_known_to_its_sender_alone(served: Served) -> None:
    content = served.database.read_bytes()
    names = [
        httpx.post(
            f"{served.url}/api/upload", params={"name": "mine.sqlite"}, content=content, headers=headers
        ).json()["name"]
        for headers in (INES, BO)
    ]
    assert names[0] != names[1]
    for name, status in ((names[0], 200), ("mine.sqlite", 404)):
        body = {"database": name, "sql": COUNT}
        assert httpx.post(f"{served.url}/api/run", json=body, headers=INES).status_code == status
    about = httpx.get(f"{served.url}/api/about", headers=BO).text
    assert names[0] not in about


@pytest.mark.parametrize("era", ["auto", "legacy"])
async def test_agents_of_two_users_ask_the_same(served: Served, era: Any) -> None:
    from mcp.client.streamable_http import streamable_http_client

    for headers in (INES, BO):
        async with httpx.AsyncClient(headers=headers, timeout=60) as http:
            transport = streamable_http_client(f"{served.url}/mcp", http_client=http)
            async with Client(transport, mode=era) as agent:
                answered = await agent.call_tool("ask", {"question": QUESTION})
        assert answered.structured_content is not None
        assert answered.structured_content["rows"] == [[3]]


def test_a_stranger_and_studios_own_entrance(served: Served) -> None:
    for headers in (
        {},
        bearer("a-token-of-nobody"),
        {"x-auth-scheme": "langsmith"},
        {"x-auth-scheme": "langsmith", **bearer("x")},
    ):
        for path in ("/threads/search", "/api/run", "/v1/chat/completions", "/mcp"):
            assert httpx.post(f"{served.url}{path}", json={}, headers=headers).status_code == 401
    scheme = {"x-auth-scheme": "langsmith", **BO}
    found = httpx.post(f"{served.url}/threads/search", json={}, headers=scheme).json()
    assert {one["metadata"]["owner"] for one in found} <= {"bo"}


@pytest.mark.parametrize(
    ("text", "mode", "said"),
    [
        ("ines the-token-of-ines\n", 0o644, "chmod 600"),
        ("ines short\n", 0o600, "shorter than"),
        ("ines the-token-of-ines\nbo the-token-of-ines\n", 0o600, "same token"),
        ("ines the-token-of-ines\nines the-token-of-bo-.\n", 0o600, "Line 2"),
        ("ines\n", 0o600, "Line 1"),
        ("# nobody\n", 0o600, "names nobody"),
        (None, 0, "cannot be read"),
    ],
)
def test_a_users_file_that_cannot_be(
    text: str | None, mode: int, said: str, tmp_path: Path, scripted: Callable[..., Any]
) -> None:
    scripted([COUNT])
    file = tmp_path / "users.txt"
    if text is not None:
        file.write_text(text)
        file.chmod(mode)
    done = CliRunner().invoke(app, ["serve", "--users", str(file), "--model", "scripted"])
    assert done.exit_code == exit_codes.USAGE
    assert said in done.stderr.replace("\n", " ")
