"""The server's own routes, on a real database with a scripted model."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from critiql.server.app import make_app
from critiql.server.library import as_csv
from critiql.tools.served import Served
from critiql.tools.settings import settings

COUNT = "SELECT COUNT(*) FROM item"


def events_of(text: str) -> list[tuple[str, Any]]:
    blocks = [block.split("\n") for block in text.strip().split("\n\n")]
    return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in blocks]


async def test_what_is_offered(client: httpx.AsyncClient) -> None:
    about = (await client.get("/api/about")).json()
    assert about["databases"] == [{"name": "shop", "dialect": "sqlite", "problem": None}]
    assert about["default_database"] == "shop"
    assert about["model"] == {"name": "scripted", "local": True}
    assert not about["upload"]
    status = (await client.get("/api/status")).json()
    assert status["memory_bytes"] > 10_000_000
    assert status["tokens_per_second"] is None, "unknown is not zero"


async def test_schema_and_sample(client: httpx.AsyncClient) -> None:
    schema = (await client.get("/api/databases/shop/schema")).json()
    item = next(table for table in schema["tables"] if table["name"] == "item")
    column = next(column for column in item["columns"] if column["name"] == "maker_id")
    assert column["references"] == {"table": "maker", "column": "id"}
    assert schema["questions"]
    rows = (await client.get("/api/databases/shop/sample", params={"table": "maker"})).json()
    assert rows["rows"] == [[1, "Alder", "Norway"], [2, "Birch", "Peru"]]


@pytest.mark.parametrize(
    ("sql", "ok", "kind"),
    [
        ("SELECT title FROM item WHERE id = 3", True, None),
        ("DELETE FROM item", False, "denied"),
        ("SELECT titel FROM item", False, "no_such_column"),
        ("ATTACH '/etc/passwd' AS a", False, "denied"),
        ("", False, "empty"),
    ],
)
async def test_run(client: httpx.AsyncClient, sql: str, ok: bool, kind: str | None) -> None:
    ran = (await client.post("/api/run", json={"database": "shop", "sql": sql})).json()
    assert (ran["ok"], ran["kind"]) == (ok, kind)
    assert ran["sql"] == sql, "what is run is what was shown"
    assert ran["rows"] == ([["lamp"]] if ok else [])


async def test_check_explain_chart(client: httpx.AsyncClient) -> None:
    checked = (await client.post("/api/check", json={"sql": "SELECT titel FROM item"})).json()
    assert not checked["ok"]
    assert checked["findings"][0]["span"] == [7, 12]
    assert checked["repaired"] == "SELECT title FROM item"
    explained = (await client.post("/api/explain", json={"sql": f"{COUNT} WHERE price > 50"})).json()
    assert [step["rows"] for step in explained["steps"]] == [3, 1, 1]
    table = {"columns": ["country", "n"], "rows": [["Peru", 1], ["Norway", 2]]}
    assert (await client.post("/api/chart", json=table)).json()["kind"] == "bar"


async def test_export(client: httpx.AsyncClient) -> None:
    query = {"sql": "SELECT title, price FROM item ORDER BY id", "format": "csv"}
    file = await client.post("/api/export", json=query)
    assert file.text.splitlines() == ["title,price", "chair,20.0", "table,80.0", "lamp,15.5"]
    assert file.headers["x-critiql-truncated"] == "false"
    assert "attachment" in file.headers["content-disposition"]
    records = await client.post("/api/export", json={**query, "format": "json"})
    assert records.json()[2] == {"title": "lamp", "price": 15.5}
    refused = await client.post("/api/export", json={"sql": "DROP TABLE item"})
    assert refused.status_code == 422


def test_a_cell_is_no_formula() -> None:
    assert as_csv(["a"], [["=cmd()"], ["-1"], [-1]]).splitlines() == ["a", "'=cmd()", "'-1", "-1"]


async def test_ask_streams_the_trace_before_the_answer(
    client: httpx.AsyncClient, scripted: Callable[..., Any]
) -> None:
    scripted([COUNT])
    question = {"question": "How many items are there?", "settings": {"llm_critic": "off"}}
    answered = await client.post("/api/ask", json=question)
    events = events_of(answered.text)
    assert [name for name, _ in events[:-1]] == ["trace"] * (len(events) - 1)
    name, answer = events[-1]
    assert name == "answer"
    assert answer["rows"] == [[3]]


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ({"question": ""}, "question"),
        ({"question": "How many items?", "database": "/etc/passwd"}, "database"),
        ({"question": "How many items?", "settings": {"model": "openai:m@http://elsewhere"}}, "model"),
        ({"question": "How many items?", "settings": {"actor_model": "/tmp/any.gguf"}}, "model"),
        ({"question": "How many items?", "settings": {"examples": "/etc/passwd.csv"}}, "model"),
        ({"question": "How many items?", "settings": {"z": 1000}}, "setting"),
        ({"question": "How many items?", "graph": "os"}, "graph"),
    ],
)
async def test_what_the_network_may_not_name(
    client: httpx.AsyncClient, scripted: Callable[..., Any], question: dict[str, Any], kind: str
) -> None:
    scripted([COUNT])
    name, error = events_of((await client.post("/api/ask", json=question)).text)[-1]
    assert (name, error["kind"]) == ("error", kind)
    assert error["message"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/api/databases/..%2f..%2fetc/schema", None, 404),
        ("GET", "/api/databases/nothing/schema", None, 404),
        ("POST", "/api/run", {"database": "/etc/passwd", "sql": "SELECT 1"}, 404),
        ("POST", "/api/run", {"sql": 7}, 400),
        ("POST", "/api/upload?name=x.sqlite", {}, 403),
        ("GET", "/api/nothing", None, 404),
    ],
)
async def test_errors_are_sentences(
    client: httpx.AsyncClient, method: str, path: str, body: Any, status: int
) -> None:
    answered = await client.request(method, path, json=body)
    assert answered.status_code == status
    assert answered.json()["error"]["message"]


async def test_a_database_that_vanishes(
    offered: Served, own_shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = offered.model_copy(update={"databases": {"shop": str(own_shop)}})
    monkeypatch.setenv("CRITIQL_SERVED", own.model_dump_json())
    settings.cache_clear()
    own_shop.unlink()
    transport = httpx.ASGITransport(make_app(own))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        ran = (await client.post("/api/run", json={"sql": COUNT})).json()
    told = ran.get("error", {}).get("message") or ran["message"]
    assert "shop.sqlite" in told or ran["kind"]
    assert "Traceback" not in json.dumps(ran)


async def test_uploads_where_they_are_allowed(
    offered: Served, shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "uploads"
    folder.mkdir()
    allowed = offered.model_copy(update={"uploads": str(folder)})
    monkeypatch.setenv("CRITIQL_SERVED", allowed.model_dump_json())
    settings.cache_clear()
    app: FastAPI = make_app(allowed)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        for name in ("../x.sqlite", "x.exe", ".sqlite", ""):
            refused = await client.post("/api/upload", params={"name": name}, content=shop.read_bytes())
            assert refused.status_code == 400, name
        refused = await client.post("/api/upload", params={"name": "x.sqlite"}, content=b"MZ" * 100)
        assert refused.status_code == 400
        assert list(folder.iterdir()) == []
        taken = await client.post("/api/upload", params={"name": "x.sqlite"}, content=shop.read_bytes())
        assert taken.json() == {"name": "x.sqlite", "dialect": "sqlite"}
        ran = await client.post("/api/run", json={"database": "x.sqlite", "sql": COUNT})
        assert ran.json()["rows"] == [[3]]


async def test_the_events_have_a_schema(client: httpx.AsyncClient) -> None:
    schema = (await client.get("/api/events.json")).json()
    assert {"Rewritten", "Routed", "Charted", "Reviewed", "Proposed"} <= set(schema["$defs"])
