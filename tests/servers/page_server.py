"""A server for the page's tests: the real text_to_sql loop with a model that follows a script.

It has the routes of `critiql serve` and as much of the LangGraph API as the page uses. Which question leads to
what stands in tests/fixtures/page/said.json.
"""

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from conftest import ScriptedModel
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from critiql.agent.answer import Answer
from critiql.agent.context import Context
from critiql.graphs.api import stream
from critiql.tools.database.open import get_database
from critiql.tools.database.result import Limits, Rows
from critiql.tools.database.sample.build import sample_database
from critiql.tools.errors.lookup import DatabaseValues
from critiql.tools.errors.query import Query
from critiql.tools.errors.rules import detect, read
from critiql.tools.models.factory import use_model

HERE = Path(__file__).resolve()
PAGE = HERE.parents[2] / "server" / "page"
SAID = HERE.parents[1] / "fixtures" / "page" / "said.json"
POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'"
MENDED = "SELECT COUNT(*) AS artists FROM artists"
ROWS = 1000


class Guarded(BaseHTTPMiddleware):
    """Sends the page's policy with everything."""

    async def dispatch(self, request: Request, call_next: Any) -> Response:
        answer: Response = await call_next(request)
        answer.headers["Content-Security-Policy"] = POLICY
        return answer


class PageServer:
    """The state of the server: conversations, databases, verified pairs, and what the page asked for."""

    def __init__(self, *, uploads: bool = True, pace: float = 0.0) -> None:
        self.uploads, self.pace = uploads, pace
        self.said: dict[str, Any] = json.loads(SAID.read_text())
        self.databases = {"music shop": sample_database()}
        self.threads: dict[str, dict[str, Any]] = {}
        self.pairs: list[dict[str, Any]] = []
        self.ran: list[str] = []
        self.cancelled: list[str] = []

    def app(self) -> Starlette:
        """Routes, with the page's policy on everything."""
        routes = [
            *(Route(f"/api/{name}", getattr(self, name), methods=["GET", "POST"]) for name in API),
            Route("/api/databases", self.names),
            Route("/api/memory/{id}", self.forget, methods=["DELETE"]),
            Route("/threads", self.open_thread, methods=["POST"]),
            Route("/threads/search", self.search, methods=["POST"]),
            Route("/threads/{id}", self.thread, methods=["GET", "DELETE"]),
            Route("/threads/{id}/history", self.history, methods=["POST", "GET"]),
            Route("/threads/{id}/runs/stream", self.run_stream, methods=["POST"]),
            Route("/threads/{id}/runs/{run}/cancel", self.cancel, methods=["POST"]),
            Mount("/page", StaticFiles(directory=PAGE, html=True)),
        ]
        return Starlette(routes=routes, middleware=[Middleware(Guarded)])

    # --- the routes of the server ---

    async def info(self, _request: Request) -> Response:
        return JSONResponse(
            {
                "version": "0.1.0",
                "model": "scripted",
                "models": ["scripted", "other"],
                "uploads": self.uploads,
                "refine": True,
                "memory_mb": 1430.0,
                "tokens_per_second": None,
                "settings": {},
            }
        )

    async def names(self, _request: Request) -> Response:
        return JSONResponse([{"name": name, "dialect": "sqlite"} for name in self.databases])

    async def schema(self, request: Request) -> Response:
        name = request.query_params["database"]
        schema = get_database(self.databases[name]).schema()
        return JSONResponse(
            {"database": name, "dialect": "sqlite", "tables": [_table(schema, one) for one in schema.tables]}
        )

    async def examples(self, _request: Request) -> Response:
        return JSONResponse(["How much did each country spend?", "Which orders are from 1950?"])

    async def run(self, request: Request) -> Response:
        body = await request.json()
        self.ran.append(body["sql"])
        return JSONResponse(await asyncio.to_thread(self._run, body["database"], body["sql"]))

    async def check(self, request: Request) -> Response:
        body = await request.json()
        return JSONResponse({"sql": body["sql"], "findings": await asyncio.to_thread(self._check, body)})

    async def refine(self, request: Request) -> Response:
        body = await request.json()
        await asyncio.sleep(self.pace)
        return JSONResponse({"sql": MENDED, "changed": body["sql"] != MENDED, "findings": [], "seconds": 0.1})

    async def chart(self, request: Request) -> Response:
        body = await request.json()
        return JSONResponse(_chart(body["columns"], body["rows"], body.get("kind") or "bar"))

    async def export(self, request: Request) -> Response:
        body = await request.json()
        ran = self._run(body["database"], body["sql"], 100_000)
        headers = {"X-Critiql-Truncated": "false", "Content-Disposition": "attachment"}
        return Response("\n".join(map(str, ran["rows"])), media_type="text/csv", headers=headers)

    async def memory(self, request: Request) -> Response:
        if request.method == "GET":
            return JSONResponse(self.pairs)
        pair = {**await request.json(), "id": str(len(self.pairs) + 1), "at": "2026-11-28T05:00:00Z"}
        self.pairs.append(pair)
        return JSONResponse(pair)

    async def forget(self, request: Request) -> Response:
        self.pairs = [pair for pair in self.pairs if pair["id"] != request.path_params["id"]]
        return Response(status_code=204)

    async def upload(self, request: Request) -> Response:
        name = request.query_params["name"]
        if not (await request.body()).startswith(b"SQLite format 3"):
            message = f"{name} is no SQLite or DuckDB file."
            return JSONResponse({"error": {"message": message, "type": "upload"}}, 400)
        self.databases[name] = self.databases["music shop"]
        return JSONResponse({"name": name, "dialect": "sqlite"})

    # --- the LangGraph API ---

    async def open_thread(self, request: Request) -> Response:
        body = await request.json()
        thread = {
            "thread_id": f"00000000-0000-4000-8000-{len(self.threads):012}",
            "metadata": body.get("metadata") or {},
            "created_at": "2026-11-28T05:00:00Z",
            "updated_at": "2026-11-28T05:00:00Z",
            "status": "idle",
            "values": {},
        }
        self.threads[thread["thread_id"]] = {**thread, "ends": [], "asked": None}
        return JSONResponse(thread)

    async def search(self, _request: Request) -> Response:
        kept = ("thread_id", "metadata", "updated_at")
        return JSONResponse([{key: one[key] for key in kept} for one in reversed(self.threads.values())])

    async def thread(self, request: Request) -> Response:
        found = self.threads.get(request.path_params["id"])
        if found is None:
            return JSONResponse({"detail": "There is no such conversation."}, 404)
        if request.method == "DELETE":
            del self.threads[request.path_params["id"]]
            return Response(status_code=204)
        return JSONResponse({key: value for key, value in found.items() if key not in ("ends", "asked")})

    async def history(self, request: Request) -> Response:
        found = self.threads.get(request.path_params["id"])
        if found is None:
            return JSONResponse({"detail": "There is no such conversation."}, 404)
        states = [{"values": values, "next": [], "tasks": []} for values in reversed(found["ends"])]
        return JSONResponse(states)

    async def run_stream(self, request: Request) -> Response:
        body = await request.json()
        thread = self.threads[request.path_params["id"]]
        return StreamingResponse(self._sent(thread, body), media_type="text/event-stream")

    async def cancel(self, request: Request) -> Response:
        self.cancelled.append(request.path_params["run"])
        return Response(status_code=204)

    async def _sent(self, thread: dict[str, Any], body: dict[str, Any]) -> AsyncIterator[str]:
        yield _event("metadata", {"run_id": "11111111-0000-4000-8000-000000000000", "attempt": 1})
        try:
            async for name, data in self._parts(thread, body):
                yield _event(name, data)
        except RuntimeError as error:
            yield _event("error", {"error": "RuntimeError", "message": str(error)})

    async def _parts(
        self, thread: dict[str, Any], body: dict[str, Any]
    ) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        """One turn: rewrite, ask the person, run the loop, or answer without a query."""
        if body.get("command"):
            said, script = thread["asked"], self._decided(thread, body["command"]["resume"]["decisions"][0])
        else:
            said = body["input"]["messages"][0]["content"]
            script = self.said.get(said, {"breaks": f"Nothing is scripted for: {said}"})
        question = script.get("rewritten", said)
        if "breaks" in script:
            raise RuntimeError(script["breaks"])
        if question != said:
            yield "custom", {"version": 1, "type": "rewritten", "said": said, "question": question, "seconds": 0.2}
        before = thread["ends"][-1] if thread["ends"] else {"messages": []}
        heard = before["messages"] if body.get("command") else [*before["messages"], {"type": "human", "content": said}]
        values = {**before, "messages": heard, "question": question, "rewritten": question != said}
        if "asks" in script:
            thread["asked"] = said
            yield "values", {**values, "__interrupt__": [{"id": "1", "value": script["asks"]}]}
            thread["ends"].append(values)
            return
        values["tool"] = script.get("tool", "ask")
        if "reply" in script:
            values["messages"] = [*heard, {"type": "ai", "content": script["reply"]}]
            if values["tool"] == "chart":
                values["chart"] = _chart(before["result"]["columns"], before["result"]["rows"], "bar")
        else:
            async for event in self._asked(question, script, values):
                yield "custom", event
        thread["ends"].append(values)
        yield "values", values

    async def _asked(
        self, question: str, script: Mapping[str, Any], values: dict[str, Any]
    ) -> AsyncIterator[dict[str, Any]]:
        """The real loop over the sample database, and the answer into the state."""
        await asyncio.sleep(script.get("pause", 0))
        context = Context(model="scripted", query_rows=script.get("rows", ROWS), abstain=False)
        with use_model("scripted", ScriptedModel(script["texts"], script["truths"])):
            async for item in stream(question, self.databases["music shop"], context=context):
                if isinstance(item, Answer):
                    result = item.model_dump(mode="json", exclude={"events"})
                else:
                    await asyncio.sleep(self.pace)
                    yield item if isinstance(item, dict) else item.model_dump(mode="json")
        result |= {"confidence": script.get("confidence"), "other": None}
        values["result"] = result
        values["messages"] = [*values["messages"], {"type": "ai", "content": result["in_words"]}]

    def _decided(self, thread: dict[str, Any], decision: dict[str, Any]) -> dict[str, Any]:
        """What a person's decision leads to: the query that was meant, edited or refused."""
        asked = self.said[thread["asked"]]["asks"]
        if decision["type"] == "respond":
            return self.said[decision["message"]]
        if decision["type"] == "reject" and asked["type"] == "approve":
            return {"tool": "ask", "reply": "The query was not run."}
        given = decision.get("edited_action", {}).get("args", {})
        if asked["type"] == "clarify":
            sql = asked["readings"][given.get("reading", 0)]["sql"]
        else:
            sql = given.get("sql", asked["sql"])
        return {"texts": [sql], "truths": [0.95]}

    def _run(self, database: str, sql: str, rows: int = ROWS) -> dict[str, Any]:
        result = get_database(self.databases[database]).run(sql, Limits(rows=rows))
        if isinstance(result, Rows):
            listed = [list(row) for row in result.rows]
            answer = {"columns": list(result.columns), "rows": listed, "truncated": result.truncated}
            return {"ok": True, "sql": sql, **answer, "seconds": result.seconds}
        return {"ok": False, "sql": sql, "kind": result.kind, "message": result.message, "name": None, "seconds": 0}

    def _check(self, body: Mapping[str, str]) -> list[dict[str, Any]]:
        database = get_database(self.databases[body["database"]])
        query = read(body["sql"], database.schema(), values=DatabaseValues(database))
        result = database.run(body["sql"]) if isinstance(query, Query) else None
        if isinstance(query, Query) and result is not None and not result.ok:
            query = read(
                body["sql"], database.schema(), values=DatabaseValues(database), execution=result
            )
        return [finding.as_dict() for finding in detect(query)]


API = ("info", "schema", "examples", "run", "check", "refine", "chart", "export", "memory", "upload")


@contextmanager
def serving(server: PageServer) -> Iterator[str]:
    """The address of a running server."""
    config = uvicorn.Config(server.app(), host="127.0.0.1", port=0, log_level="error", lifespan="off")
    engine = uvicorn.Server(config)
    thread = threading.Thread(target=engine.run, daemon=True)
    thread.start()
    while not engine.started:
        assert thread.is_alive(), "the server ended"
        time.sleep(0.02)
    port = engine.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        engine.force_exit = engine.should_exit = True
        thread.join(10)


def _event(name: str, data: Any) -> str:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n"


def _table(schema: Any, table: Any) -> dict[str, Any]:
    keys = {key.columns[0].casefold(): key for key in table.foreign_keys}
    return {
        "name": table.name,
        "view": table.is_view,
        "rows": table.row_count,
        "comment": None,
        "columns": [
            {
                "name": column.name,
                "type": column.type,
                "primary_key": column.name in table.primary_key,
                "references": _reference(keys.get(column.name.casefold())),
            }
            for column in table.columns
        ],
    }


def _reference(key: Any) -> dict[str, str] | None:
    return {"table": key.to_table, "column": key.to_columns[0]} if key else None


def _chart(columns: list[str], rows: list[list[Any]], kind: str) -> dict[str, Any]:
    """Bars, a line or a ring of the last column over the first."""
    if len(columns) < 2 or not rows or not isinstance(rows[0][-1], int | float):
        return {"spec": None, "kinds": [], "reason": "A chart needs a column of numbers."}
    data = [{"x": row[0], "y": row[-1]} for row in rows]
    x = {"field": "x", "type": "nominal", "title": columns[0], "sort": None}
    y = {"field": "y", "type": "quantitative", "title": columns[-1]}
    encoding = {"theta": y, "color": x} if kind == "arc" else {"x": x, "y": y}
    spec = {"data": {"values": data}, "mark": {"type": kind, "tooltip": True}, "encoding": encoding}
    spec |= {"width": "container", "height": 260}
    return {"spec": spec, "kind": kind, "kinds": ["bar", "line", "arc"], "reason": "A name and a number."}
