"""Who may come in: token, host, origin and length, each refused with a sentence."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from critiql.server.app import make_app
from critiql.server.auth import EVERYBODY, LONGEST_BODY, Guard, is_loopback, refusal, visitor
from critiql.tools.served import Served

FILE = Path(__file__).parents[1] / "fixtures/server/guard.jsonl"
CASES = [json.loads(line) for line in FILE.read_text().splitlines()]
SERVED = Served(
    databases={"shop": "shop.sqlite"},
    token="a-token-of-the-test",
    hosts=("box.example",),
    origins=("https://studio.example",),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_refusals(case: dict[str, Any]) -> None:
    served = SERVED.model_copy(update={"token": ""}) if case.get("open") else SERVED
    method, peer = case.get("method", "GET"), case.get("peer", "127.0.0.1")
    refused = refusal(case.get("path", "/api/about"), case["headers"], served, method=method, peer=peer)
    assert (refused[1] if refused else None) == case["kind"]


def test_without_a_token_none_is_asked_for() -> None:
    served = SERVED.model_copy(update={"token": ""})
    assert refusal("/api/about", {"host": "127.0.0.1:8484"}, served) is None


def test_a_users_token_names_the_user() -> None:
    users = {"ines": "the-token-of-ines", "bo": "the-token-of-bo-."}
    served = SERVED.model_copy(update={"token": "", "users": users})
    found = {
        token: visitor({"authorization": f"Bearer {token}"}, served)
        for token in ("the-token-of-ines", "the-token-of-bo-.", "", "ines")
    }
    assert list(found.values()) == ["ines", "bo", None, None]
    assert visitor({}, SERVED.model_copy(update={"token": ""})) == EVERYBODY


async def test_a_websocket_is_turned_away_in_its_own_protocol() -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def unreachable(*_: Any) -> None:
        raise AssertionError("it was let in")

    scope = {"type": "websocket", "path": "/threads/1/stream/events", "headers": [(b"host", b"localhost")]}
    await Guard(unreachable, SERVED)(scope, unreachable, send)
    assert [(one["type"], one["code"]) for one in sent] == [("websocket.close", 1008)]


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("localhost", True), ("::1", True), ("0.0.0.0", False), ("192.168.1.2", False)],
)
def test_loopback(host: str, loopback: bool) -> None:
    assert is_loopback(host) == loopback


async def test_a_length_that_is_not_told_is_counted(offered: Served) -> None:
    async def parts() -> Any:
        for _ in range(20):
            yield b"x" * (LONGEST_BODY // 10)

    transport = httpx.ASGITransport(make_app(offered))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        for path in ("/v1/chat/completions", "/api/ask", "/api/run"):
            answered = await client.post(path, content=parts())
            assert answered.status_code == 413
            assert answered.json()["error"]["kind"] == "too_large"
