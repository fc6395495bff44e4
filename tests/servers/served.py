"""A server under test: its process, its database, and who talks to it."""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from scripted_endpoint import free_port, process, script, scripted_endpoint

from critiql.tools.database.sample.build import build

COUNT = "SELECT COUNT(*) FROM item"
QUESTION = "How many items are there?"
ASKED: dict[str, Any] = {"messages": [{"role": "user", "content": QUESTION}], "database": "shop"}
PLAIN = {"llm_critic": "off"}
CUSTOMERS = "SELECT COUNT(*) AS customers FROM customers"
HOW_MANY = "How many customers are there?"
"""A question of the sample database, and its query: 250."""


class Served(NamedTuple):
    """A running server."""

    url: str
    port: int
    model: str
    database: Path
    environment: dict[str, str]
    pid: int = 0


def bearer(token: str) -> dict[str, str]:
    """The header with which a token is sent."""
    return {"Authorization": f"Bearer {token}"}


def make_shop(path: Path) -> None:
    """A database of three items."""
    connection = sqlite3.connect(path)
    connection.executescript(
        "CREATE TABLE item (id INTEGER PRIMARY KEY, title TEXT, price REAL);"
        "INSERT INTO item VALUES (1, 'chair', 20.0), (2, 'table', 80.0), (3, 'lamp', 15.5);"
    )
    connection.close()


def environment_of(folder: Path, **more: str) -> dict[str, str]:
    """The environment of a server that keeps everything in a folder of its own."""
    own = {"XDG_CACHE_HOME": str(folder), "NO_COLOR": "1", "LANGSMITH_TRACING": "false"}
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("CRITIQL_")}
    return {**inherited, **own, **more}


@contextmanager
def serving_shop(folder: Path, *more: str, environment: dict[str, str] | None = None) -> Iterator[Served]:
    """`critiql serve` with the shop and a model that always writes the same query."""
    make_shop(folder / "shop.sqlite")
    with serving(folder, "shop", COUNT, *more, environment=environment) as place:
        yield place


@contextmanager
def serving_sample(
    folder: Path, *more: str, environment: dict[str, str] | None = None, latency: float = 0.0
) -> Iterator[Served]:
    """`critiql serve` with the sample database and a model that counts its customers."""
    build(folder / "music.sqlite")
    with serving(folder, "music", CUSTOMERS, *more, environment=environment, latency=latency) as place:
        yield place


@contextmanager
def serving(
    folder: Path,
    name: str,
    says: str,
    *more: str,
    environment: dict[str, str] | None = None,
    latency: float = 0.0,
) -> Iterator[Served]:
    """`critiql serve` with the folder's database of that name, and a model that always says the same.

    Args:
        folder: where everything of the server is kept.
        name: of the database, and of its file.
        says: what the model writes.
        more: further arguments of the command.
        environment: further variables.
        latency: seconds before the model writes.
    """
    database = folder / f"{name}.sqlite"
    given = environment_of(folder, **(environment or {}))
    with scripted_endpoint(says, folder / "llmock.log", latency) as model:
        port = free_port()
        arguments = ["--db", f"{name}={database}", "--port", str(port), "--model", model, *more]
        with running([script("critiql"), "serve", *arguments], folder, port, given):
            yield Served(f"http://127.0.0.1:{port}", port, model, database, given)


@contextmanager
def running(command: Sequence[str], folder: Path, port: int, environment: dict[str, str]) -> Iterator[None]:
    """A server's process, from when it answers until the block ends."""
    log = folder / "serve.log"
    with process(command, log, f"http://127.0.0.1:{port}/ok", env=environment, cwd=folder):
        yield
