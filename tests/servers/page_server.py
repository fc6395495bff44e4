"""A server for the page's tests: `critiql serve`'s own application, and a model that follows a script.

As much of the LangGraph API as the page uses runs the real text_to_sql loop. Which question leads to what
stands in tests/fixtures/page/said.json.
"""

import asyncio
import json
import os
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from critiql.agent.answer import Answer
from critiql.agent.context import Context
from critiql.agent.events import Rewritten
from critiql.graphs.api import stream
from critiql.server.app import make_app
from critiql.tools.chart import chart_of
from critiql.tools.served import Served
from critiql.tools.settings import settings

SAID = Path(__file__).resolve().parents[1] / "fixtures" / "page" / "said.json"
ROWS = 1000
MENDED = "SELECT COUNT(*) AS artists FROM artists"


class PageServer:
    """The state of the server: conversations, and what the page asked for.

    Args:
        database: the database that is served.
        script: puts a model that says these texts and readings under the name `scripted`.
        uploads: folder for files that are sent; empty: none are taken.
        pace: seconds between two events.
        token: what every request must carry; empty: none.
    """

    def __init__(
        self,
        database: Path,
        script: Callable[[list[str], list[float]], object],
        *,
        uploads: str = "",
        pace: float = 0.0,
        token: str = "",
    ) -> None:
        self.pace = pace
        self.script = script
        self.database = database
        self.served = Served(
            databases={"music shop": str(database)}, models=("scripted",), uploads=uploads, token=token
        )
        self.said: dict[str, Any] = json.loads(SAID.read_text())
        self.threads: dict[str, dict[str, Any]] = {}
        self.cancelled: list[str] = []

    def app(self) -> FastAPI:
        """The server's own application, with the LangGraph API of the script beside it."""
        app = make_app(self.served)
        own = [
            Route("/threads", self.open_thread, methods=["POST"]),
            Route("/threads/search", self.search, methods=["POST"]),
            Route("/threads/{id}", self.thread, methods=["GET", "DELETE"]),
            Route("/threads/{id}/state", self.state),
            Route("/threads/{id}/runs/stream", self.run_stream, methods=["POST"]),
            Route("/threads/{id}/runs/{run}/cancel", self.cancel, methods=["POST"]),
        ]
        app.router.routes[:0] = own
        return app

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
        self.threads[thread["thread_id"]] = {**thread, "asked": None}
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
        return JSONResponse({key: value for key, value in found.items() if key != "asked"})

    async def state(self, request: Request) -> Response:
        found = self.threads.get(request.path_params["id"])
        if found is None:
            return JSONResponse({"detail": "There is no such conversation."}, 404)
        asked = found["values"].get("__interrupt__", [])
        return JSONResponse(
            {"values": found["values"], "next": [], "tasks": [{"id": "1", "interrupts": asked}]}
        )

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
            if body["input"]["draft"]:
                script = {"texts": [MENDED], "truths": [0.9]}
        before = thread["values"]
        yield "values", before
        question = script.get("rewritten", said)
        if "breaks" in script:
            raise RuntimeError(script["breaks"])
        if question != said:
            yield "custom", Rewritten(said=said, question=question, seconds=0.2).model_dump(mode="json")
        values = {
            "turns": before.get("turns", []),
            "last": before.get("last"),
            "said": said,
            "question": question,
        }
        values |= {"tool": script.get("tool", "ask"), "text": script.get("reply", ""), "answer": None}
        values |= {"chart": None, "problem": script.get("problem")}
        if "asks" in script:
            thread["asked"] = said
            values["__interrupt__"] = [{"id": "1", "value": script["asks"]}]
        elif values["tool"] == "chart":
            values["chart"] = chart_of(values["last"]["columns"], values["last"]["rows"], "")._asdict()
        elif "texts" in script:
            async for event in self._asked(question, script, values):
                yield "custom", event
        if "asks" not in script:
            kept = ("said", "question", "tool", "text", "answer", "chart")
            values["turns"] = [*values["turns"], {key: values[key] for key in kept}]
        thread["values"] = values
        yield "values", values

    async def _asked(
        self, question: str, script: Mapping[str, Any], values: dict[str, Any]
    ) -> AsyncIterator[dict[str, Any]]:
        """The real loop over the database, and the answer into the state."""
        await asyncio.sleep(script.get("pause", 0))
        context = Context(model="scripted", query_rows=script.get("rows", ROWS), abstain=False)
        self.script(script["texts"], script["truths"])
        async for item in stream(question, "music shop", context=context):
            if isinstance(item, Answer):
                answer = item.model_dump(mode="json", exclude={"events"})
            else:
                await asyncio.sleep(self.pace)
                yield item if isinstance(item, dict) else item.model_dump(mode="json")
        answer |= {"confidence": script.get("confidence"), "other": script.get("other")}
        values |= {"answer": answer, "last": answer, "text": answer["in_words"]}

    def _decided(self, thread: dict[str, Any], decision: dict[str, Any]) -> dict[str, Any]:
        """What a person's decision leads to: the query that was meant, edited or refused."""
        asked = self.said[thread["asked"]]["asks"]["action_requests"][0]
        if decision["type"] == "respond":
            script: dict[str, Any] = self.said[decision["message"]]
            return script
        if decision["type"] == "reject":
            return {"reply": "The query was not run."}
        given = decision.get("edited_action", {}).get("args", {})
        if asked["name"] == "clarify":
            sql = asked["args"]["readings"][given.get("reading", 0)]["sql"]
        else:
            sql = given.get("sql", asked["args"]["sql"])
        return {"texts": [sql], "truths": [0.95]}


@contextmanager
def serving(server: PageServer) -> Iterator[str]:
    """The address of a running server."""
    os.environ["CRITIQL_SERVED"] = server.served.model_dump_json()
    settings.cache_clear()
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
        del os.environ["CRITIQL_SERVED"]
        settings.cache_clear()


def _event(name: str, data: Any) -> str:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n"
