"""Starts the server: the LangGraph API in memory, with the page, /v1 and /mcp beside it, on one port."""

import ipaddress
import logging
import os
import socket
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple, cast

from critiql.agent.context import DEFAULT_MODEL
from critiql.graphs.catalogue import CHATS, GRAPHS
from critiql.server.auth import is_loopback
from critiql.server.offer import SHORTEST_TOKEN, checked_tokens, offer
from critiql.server.owners import CONFIG
from critiql.server.running import announce
from critiql.server.users import read_users
from critiql.tools.database.open import get_database
from critiql.tools.database.sample.build import sample_database
from critiql.tools.exceptions import USAGE, CritiqlError
from critiql.tools.models.factory import HOSTED, load_model
from critiql.tools.models.model import ModelError
from critiql.tools.served import Served, names_for
from critiql.tools.settings import settings

DEFAULT_PORT = 8484
WORKERS = 4
"""Runs of the LangGraph API at a time; the calls of one local model still go one after another."""
KEEP_ALIVE = 75
"""Seconds that an idle connection stays open; longer than any usual client or proxy keeps its end."""


class ServeError(CritiqlError):
    """The server cannot be started. The message says what happened, why, and what to do."""

    exit_code = USAGE


class Options(NamedTuple):
    """How to serve."""

    databases: Sequence[str] = ()
    """`NAME=PLACE` or places; none: the sample database."""
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    """0: none, for standard input and output."""
    token: str = ""
    users: str = ""
    """File with the name and token of each user; empty: all are one."""
    models: Sequence[str] = ()
    examples: str = ""
    memory: bool = True
    hosts: Sequence[str] = ()
    origins: Sequence[str] = ()
    uploads: bool = False


def prepare(options: Options) -> Served:
    """Look at everything that may be wrong before anything is started.

    Raises:
        ServeError: an address without a token, a port that is taken, two databases of one name.
        OfferError: the users' file is not what it may be.
        DatabaseError: a database cannot be opened.
    """
    users = read_users(Path(options.users).expanduser()) if options.users else {}
    checked_tokens(options.token, users)
    if not is_loopback(options.host) and not users and len(options.token) < SHORTEST_TOKEN:
        raise ServeError(
            f"Others can reach {options.host}, so a token is required. "
            f"Give one of at least {SHORTEST_TOKEN} characters with --token, or stay on 127.0.0.1."
        )
    given = list(options.databases) or [f"sample={sample_database()}"]
    try:
        databases = {name: whole(place) for name, place in names_for(given).items()}
    except ValueError as error:
        raise ServeError(str(error)) from error
    for place in databases.values():
        get_database(place).schema()
    if options.port:
        check_port(options.host, options.port)
    return Served(
        databases=databases,
        models=tuple(options.models) or (DEFAULT_MODEL,),
        examples=str(Path(options.examples).expanduser().absolute()) if options.examples else "",
        memory=options.memory,
        token=options.token,
        users=users,
        hosts=tuple(options.hosts),
        origins=tuple(options.origins),
        uploads=str(folder_of("uploads")) if options.uploads else "",
    )


def whole(place: str) -> str:
    """A path from the root, since the server works in a folder of its own; a URL as it is."""
    if "://" in place or place.startswith(("sqlite:", "duckdb:")):
        return place
    return str(Path(place).expanduser().absolute())


def folder_of(name: str) -> Path:
    """A folder of the server's own."""
    folder = settings().cache / "server" / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def check_port(host: str, port: int) -> None:
    """See whether the port is free.

    Raises:
        ServeError: it is taken, or the address is not this machine's.
    """
    is_six = ":" in host and ipaddress.ip_address(host).version == 6
    with socket.socket(socket.AF_INET6 if is_six else socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ServeError(
                f"Port {port} of {host} cannot be used: {error.strerror or error}. "
                "End the program that has it, or give another one with --port."
            ) from error


def serve(options: Options) -> None:
    """Serve until interrupted.

    Raises:
        ServeError, DatabaseError: as `prepare`; and where the server's package is not installed.
    """
    served = prepare(options)
    try:
        from langgraph_api.cli import run_server
    except ModuleNotFoundError as error:
        raise ServeError(
            f"The server's packages are not installed ({error.name}). Run: pip install 'critiql[serve]'"
        ) from error
    quieten()
    threads = folder_of("threads")
    offer(served)
    os.chdir(threads)
    Thread(target=warm, args=(served.models[0],), daemon=True).start()
    # A shell that finds the server would need to be one of its users.
    found = nullcontext() if served.users else announce(options.host, options.port, served)
    with found:
        run_server(
            host=options.host,
            port=options.port,
            graphs=graphs(),
            http={"app": "critiql.server.asgi:app", "disable_mcp": True},
            auth=cast("Any", CONFIG),
            n_jobs_per_worker=WORKERS,
            open_browser=False,
            allow_blocking=True,
            server_level="WARNING",
            timeout_keep_alive=KEEP_ALIVE,
        )


def graphs() -> dict[str, Any]:
    """Every graph, as the LangGraph API takes it."""
    return {
        name: {"path": f"critiql.graphs.{name}:graph", "description": line}
        for name, line in (CHATS | GRAPHS).items()
    }


def warm(model: str) -> None:
    """Load the model before the first question; what is wrong with it the first question tells."""
    if not model.startswith(HOSTED):
        try:
            load_model(model)
        except ModelError as error:
            logging.getLogger("critiql").warning("%s", error)


def quieten() -> None:
    """Keep the framework's banners and its look for a newer version away; its warnings stay."""
    os.environ.setdefault("LANGGRAPH_NO_VERSION_CHECK", "true")
    os.environ.setdefault("LANGSMITH_TRACING", "false")
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    logging.getLogger("langgraph_api.cli").setLevel(logging.WARNING)
