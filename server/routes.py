"""The server's own JSON routes, for the page, for `critiql ask` and for anybody's scripts."""

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from fastapi import APIRouter, HTTPException, Request, Response
from pydantic import BaseModel, Field
from starlette.responses import StreamingResponse

from critiql.agent.admission import admitted
from critiql.agent.answer import Answer
from critiql.agent.context import Context
from critiql.agent.events import EVENT
from critiql.graphs.catalogue import GRAPHS
from critiql.graphs.refine import Refinement
from critiql.server import library, memory
from critiql.server.failures import TOLD, told_of
from critiql.server.leaving import unless_left
from critiql.server.results import CheckResult, ExplainResult, PairResult, RunResult, SchemaResult
from critiql.server.uploads import LARGEST, accept_upload
from critiql.tools.chart import chart_of
from critiql.tools.database.engine import DatabaseError
from critiql.tools.models.factory import HOSTED, activity_of
from critiql.tools.models.local import machine
from critiql.tools.served import served

router = APIRouter(prefix="/api")


class Query(BaseModel):
    """A query on a database of this server."""

    database: str = ""
    sql: str = Field(max_length=200_000)
    question: str = Field(default="", max_length=8_000)


class ExportQuery(Query):
    """A query whose rows become a file."""

    format: Literal["csv", "json"] = "csv"


class Table(BaseModel):
    """Rows to draw."""

    columns: list[str]
    rows: list[list[Any]]
    kind: str = ""


class Confirmed(BaseModel):
    """A query that a person says is right."""

    database: str = ""
    question: str = Field(max_length=8_000)
    sql: str = Field(max_length=200_000)
    who: str = Field(max_length=1_000)


class Question(BaseModel):
    """A question and how it is to be answered."""

    question: str
    database: str = ""
    graph: str = "text_to_sql"
    evidence: str = ""
    settings: dict[str, Any] = {}


@router.get("/about")
def about() -> dict[str, Any]:
    """What this server is and offers."""
    offered, model = served(), admitted(Context()).model
    return {
        "version": version("critiql"),
        "databases": databases(),
        "default_database": library.default_database(),
        "upload": bool(offered and offered.uploads),
        "upload_limit_bytes": LARGEST,
        "approval": True,
        "memory": bool(offered and offered.keeps_memory),
        "refine": True,
        "model": {"name": model, "local": not model.startswith(HOSTED)},
        "models": list(offered.models) if offered else [model],
        "graphs": list(GRAPHS),
    }


@router.get("/status")
def status() -> dict[str, Any]:
    """How the machine is doing; null is unknown."""
    model = admitted(Context()).model
    return {
        "model": model,
        **activity_of(model)._asdict(),
        "memory_bytes": machine.own_memory(),
        "machine_memory_bytes": machine.memory(),
    }


@router.get("/databases")
def databases() -> list[dict[str, Any]]:
    """The databases of this server; one that has vanished says so."""
    offered = served()
    return [described(name) for name in (offered.databases if offered else ("",))]


def described(name: str) -> dict[str, Any]:
    """A database and its dialect, or why it cannot be opened."""
    try:
        return {"name": name, "dialect": library.open_served(name).dialect, "problem": None}
    except DatabaseError as error:
        return {"name": name, "dialect": None, "problem": str(error)}


@router.get("/databases/{name}/schema")
def schema(name: str) -> SchemaResult:
    """Tables and columns."""
    return library.describe(name)


@router.get("/databases/{name}/sample")
def sample(name: str, table: str) -> RunResult:
    """Some rows of a table."""
    return library.sample(name, table)


@router.post("/run")
def run(query: Query) -> RunResult:
    """Run exactly this text, read-only."""
    return library.run(query.database, query.sql)


@router.post("/check")
def check(query: Query) -> CheckResult:
    """What the rules find in a query."""
    return library.check(query.database, query.sql, query.question)


@router.post("/refine", response_model=Refinement)
async def refine(query: Query, http: Request) -> Refinement | Response:
    """Mend a query, or say why it is kept; a client that leaves ends the run."""
    return await unless_left(http, library.refine(query.database, query.sql, query.question))


@router.post("/explain")
def explain(query: Query) -> ExplainResult:
    """A query step by step."""
    return library.explain(query.database, query.sql)


@router.post("/export")
def export(query: ExportQuery) -> Response:
    """The rows of a query as a file."""
    made = library.export(query.database, query.sql, query.format)
    if isinstance(made, RunResult):
        raise HTTPException(422, made.message or "The query gave no rows.")
    headers = {
        "Content-Disposition": f'attachment; filename="rows.{query.format}"',
        "X-Critiql-Truncated": str(made.truncated).lower(),
    }
    return Response(made.text, media_type=made.media_type, headers=headers)


@router.post("/chart")
def chart(table: Table) -> dict[str, Any]:
    """A chart of rows, by rule."""
    return chart_of(table.columns, table.rows, table.kind)._asdict()


@router.post("/ask")
async def ask(question: Question) -> Response:
    """Answer a question: server-sent events `trace`, then one `answer` or `error`."""
    asked = library.Asked(
        question.question, question.database, question.graph, question.evidence, question.settings
    )
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(answering(asked), media_type="text/event-stream", headers=headers)


async def answering(asked: library.Asked) -> AsyncGenerator[str, None]:
    """The parts of an answer as server-sent events; a client that leaves closes this, and so the run."""
    try:
        async with aclosing(library.ask(asked)) as items:
            async for item in items:
                if isinstance(item, Answer):
                    yield sse("answer", item.model_dump(mode="json"))
                else:
                    yield sse("trace", item)
    except TOLD as error:
        told = told_of(error)
        yield sse("error", {"kind": told.kind, "message": told.message})


def sse(name: str, data: Any) -> str:
    """One server-sent event, in ASCII: some clients end a line at U+2028."""
    return f"event: {name}\ndata: {json.dumps(data, default=str)}\n\n"


@router.get("/memory")
def verified(database: str = "") -> list[PairResult]:
    """What people have verified about a database, the newest first."""
    return memory.pairs(database)


@router.post("/memory")
def verify(pair: Confirmed) -> PairResult:
    """Keep what a person says is right, if it runs."""
    return memory.verify(pair.database, pair.question, pair.sql, pair.who)


@router.delete("/memory/{name}", status_code=204)
def forget(name: str) -> None:
    """Take a verified pair away."""
    memory.forget(name)


@router.post("/upload")
async def upload(request: Request, name: str) -> dict[str, Any]:
    """Take a database file, where this server was started to."""
    offered = served()
    if offered is None or not offered.uploads:
        raise HTTPException(403, "This server takes no files. Start it with --allow-uploads.")
    taken = await accept_upload(request.stream(), name, Path(offered.uploads), secret=bool(offered.users))
    return {"name": taken, "dialect": library.open_served(taken).dialect}


@router.get("/events.json")
def events() -> dict[str, Any]:
    """The JSON schema of the trace."""
    return EVENT.json_schema(mode="serialization")
