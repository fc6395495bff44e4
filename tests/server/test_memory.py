"""Verified pairs over the network."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from critiql.agent.memory import verified
from critiql.agent.memory.confirm import confirm
from critiql.tools.database.engine import DEFAULT_LIMITS
from critiql.tools.database.open import get_database
from critiql.tools.served import Served
from critiql.tools.settings import settings

PAIR = {
    "database": "shop",
    "question": "How many makers are there in Norway?",
    "sql": "SELECT COUNT(*) FROM maker WHERE country = 'Norway'",
    "who": "Ines",
}


async def test_a_pair_is_verified_listed_shown_to_the_model_and_removed(
    client: httpx.AsyncClient, scripted: Callable[..., Any]
) -> None:
    assert (await client.get("/api/about")).json()["memory"] is True
    made = (await client.post("/api/memory", json=PAIR)).json()
    assert {name: made[name] for name in PAIR} == PAIR
    assert (await client.get("/api/memory", params={"database": "shop"})).json() == [made]
    model = scripted([PAIR["sql"]], [0.9])
    question = {"question": "How many makers are there in Peru?", "database": "shop"}
    answered = await client.post("/api/ask", json=question)
    assert made["id"] in answered.text
    assert PAIR["sql"] in model.asked[0][1].request
    assert (await client.delete(f"/api/memory/{made['id']}")).status_code == 204
    assert (await client.get("/api/memory")).json() == []
    assert (await client.delete(f"/api/memory/{made['id']}")).status_code == 404


@pytest.mark.parametrize(
    ("change", "status", "says"),
    [
        ({"sql": "DROP TABLE maker"}, 400, "does not run, so it was not kept"),
        ({"who": " "}, 400, "is missing"),
        ({"database": "../shop.sqlite"}, 404, "No database called"),
        ({"who": "x" * 2000}, 400, "who"),
    ],
)
async def test_what_is_refused(
    client: httpx.AsyncClient, change: dict[str, str], status: int, says: str
) -> None:
    refused = await client.post("/api/memory", json=PAIR | change)
    assert refused.status_code == status
    assert says in refused.json()["error"]["message"]
    assert verified.read_memory().kept == []


async def test_a_pair_of_a_database_that_is_not_served_is_neither_shown_nor_removed(
    client: httpx.AsyncClient, own_shop: Path
) -> None:
    other = own_shop.with_name("other.sqlite")
    other.write_bytes(own_shop.read_bytes())
    kept, _ = confirm("How many?", "SELECT 7", get_database(other), "Ines", limits=DEFAULT_LIMITS)
    assert (await client.get("/api/memory")).json() == []
    assert (await client.delete(f"/api/memory/{kept.name}")).status_code == 404
    assert [one.name for one in verified.read_memory().kept] == [kept.name]


@pytest.mark.parametrize("change", [{"memory": False}, {"users": {"ines": "x" * 20, "jo": "y" * 20}}])
async def test_a_server_without_memory_keeps_and_shows_nothing(
    change: dict[str, Any],
    client: httpx.AsyncClient,
    offered: Served,
    shop: Path,
    scripted: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    confirm(PAIR["question"], PAIR["sql"], get_database(shop), "Ines", limits=DEFAULT_LIMITS)
    closed = offered.model_copy(update=change)
    monkeypatch.setenv("CRITIQL_SERVED", closed.model_dump_json())
    settings.cache_clear()
    assert (await client.get("/api/about")).json()["memory"] is False
    for answer in (await client.get("/api/memory"), await client.post("/api/memory", json=PAIR)):
        assert answer.status_code == 400
        assert "--no-memory" in answer.json()["error"]["message"]
    model = scripted([PAIR["sql"]], [0.9])
    question = {"question": PAIR["question"], "settings": {"memory": True}}
    await client.post("/api/ask", json=question)
    assert "Norway'" not in model.asked[0][1].request
