"""A server that runs on this machine, found by `critiql ask`: its model is loaded already."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from pydantic import BaseModel, ValidationError

from critiql.agent.answer import Answer
from critiql.agent.events import EVENT, AnyEvent
from critiql.tools.database.sample.build import sample_database
from critiql.tools.database.server_url import without_password
from critiql.tools.models.model import ModelError
from critiql.tools.served import Served
from critiql.tools.settings import settings

PATIENCE = 0.5
"""Seconds that a server has to say that it is there."""


class Running(BaseModel):
    """Where a server is and what it offers."""

    url: str
    pid: int
    token: str
    databases: dict[str, str]
    """Name to path or URL, without a password."""
    models: tuple[str, ...]

    def name_of(self, place: str) -> str | None:
        """The name under which it serves a database."""
        wanted = _place(place or str(sample_database()))
        return next((name for name, own in self.databases.items() if own == wanted), None)


def _place(place: str) -> str:
    """A database as a server writes it down."""
    if "://" in place:
        return without_password(place)
    return str(Path(place).expanduser().absolute())


def _file() -> Path:
    return settings().cache / "server" / "running.json"


@contextmanager
def announce(host: str, port: int, served: Served) -> Iterator[None]:
    """Let this user's shells find the server while the block runs; the file is nobody else's to read."""
    shown = f"[{host}]" if ":" in host else "127.0.0.1" if host == "0.0.0.0" else host
    here = Running(
        url=f"http://{shown}:{port}",
        pid=os.getpid(),
        token=served.token,
        databases={name: _place(place) for name, place in served.databases.items()},
        models=served.models,
    )
    file = _file()
    file.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as opened:
        opened.write(here.model_dump_json())
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


def find_running() -> Running | None:
    """The server of this user, where one runs and answers."""
    try:
        found = Running.model_validate_json(_file().read_text(encoding="utf-8"))
        answers = httpx.get(f"{found.url}/ok", timeout=PATIENCE).status_code == 200
    except (OSError, ValidationError, httpx.HTTPError):
        return None
    return found if answers else None


class ServerError(ModelError):
    """The server refused the question. The message is its own sentence."""


def ask_running(running: Running, question: dict[str, Any]) -> Iterator[AnyEvent | Answer]:
    """Ask a running server: each event of the trace as it happens, and the `Answer` last.

    Raises:
        ServerError: it refused, or broke off.
    """
    headers = {"Authorization": f"Bearer {running.token}"} if running.token else {}
    try:
        with httpx.stream(
            "POST", f"{running.url}/api/ask", json=question, headers=headers, timeout=None
        ) as response:
            if response.status_code != 200:
                response.read()
                raise ServerError(_sentence(response))
            for name, data in _events(response.iter_lines()):
                if name == "error":
                    raise ServerError(data["message"])
                if name == "answer":
                    yield Answer.model_validate(data)
                else:
                    yield EVENT.validate_python(data)
    except httpx.HTTPError as error:
        raise ServerError(
            f"The server at {running.url} broke off ({error}). Ask again with --local."
        ) from error


def _events(lines: Iterator[str]) -> Iterator[tuple[str, Any]]:
    """Server-sent events: name and data."""
    name = ""
    for line in lines:
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))


def _sentence(response: httpx.Response) -> str:
    try:
        return str(response.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return f"The server answered with HTTP {response.status_code}."
