"""Errors that a client can cause or must know of: their kind, the HTTP status, and a sentence."""

from typing import NamedTuple

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from critiql.agent.graph_contexts import UnknownGraphError
from critiql.agent.memory.verified import UnknownPairError, VerifiedError
from critiql.agent.roles.ground import QuestionError
from critiql.graphs.refine import NoQueryError
from critiql.server.auth import error_body
from critiql.server.uploads import UploadError
from critiql.tools.database.engine import DatabaseError
from critiql.tools.exceptions import CritiqlError
from critiql.tools.models.model import ModelError
from critiql.tools.question_pairs import PairsError


class TurnError(CritiqlError):
    """A turn of a conversation failed; the graph itself says why."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class Told(NamedTuple):
    """An error as a client is told of it."""

    kind: str
    status: int
    message: str


KINDS: dict[type[Exception], tuple[str, int]] = {
    QuestionError: ("question", 400),
    NoQueryError: ("query", 400),
    UnknownGraphError: ("graph", 404),
    UploadError: ("upload", 400),
    PairsError: ("examples", 500),
    UnknownPairError: ("memory", 404),
    VerifiedError: ("memory", 400),
    DatabaseError: ("database", 404),
    ModelError: ("model", 503),
}
"""Library errors; their messages are written for users."""

TOLD: tuple[type[Exception], ...] = (*KINDS, TurnError, ValidationError)
"""What a client is told of; anything else is a defect of ours, which the framework answers and logs."""


def told_of(error: Exception) -> Told:
    """How a client is told of one of these errors."""
    if isinstance(error, ValidationError):
        said = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        return Told("setting", 400, said)
    if isinstance(error, TurnError):
        statuses = dict(KINDS.values())
        return Told(error.kind, statuses.get(error.kind, 400), str(error))
    found = next((kind for kind in KINDS if isinstance(error, kind)), None)
    if found is None:
        raise error
    name, status = KINDS[found]
    return Told(name, status, str(error))


def tell(app: FastAPI) -> None:
    """Let an application answer with sentences."""

    async def known(_: Request, error: Exception) -> JSONResponse:
        return response(told_of(error))

    async def wrong(_: Request, error: Exception) -> JSONResponse:
        problems = error.errors() if isinstance(error, RequestValidationError) else []
        said = "; ".join(f"{'.'.join(map(str, e['loc'][1:]))}: {e['msg']}" for e in problems)
        return response(Told("request", 400, f"The request cannot be read: {said}."))

    async def refused(_: Request, error: Exception) -> JSONResponse:
        status = error.status_code if isinstance(error, HTTPException) else 500
        detail = str(error.detail) if isinstance(error, HTTPException) else ""
        return response(Told("request", status, detail))

    for kind in TOLD:
        app.add_exception_handler(kind, known)
    app.add_exception_handler(RequestValidationError, wrong)
    app.add_exception_handler(HTTPException, refused)


def response(told: Told) -> JSONResponse:
    """The error as JSON."""
    return JSONResponse(error_body(told.status, told.kind, told.message), told.status)
