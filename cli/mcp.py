"""critiql mcp: Critiql as tools of an agent, over standard input and output or over HTTP."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from critiql.cli.completion import complete_model


def mcp(
    db: Annotated[
        list[str] | None,
        typer.Option(help="A database, as NAME=PATH or NAME=URL; several may be given. None: the sample."),
    ] = None,
    http: Annotated[bool, typer.Option("--http", help="Listen on HTTP instead of standard input.")] = False,
    host: Annotated[str, typer.Option(help="Address to listen on, with --http.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on, with --http.")] = 8485,
    token: Annotated[
        str, typer.Option(envvar="CRITIQL_TOKEN", help="What every request must carry, with --http.")
    ] = "",
    model: Annotated[
        list[str] | None,
        typer.Option(
            help="A model that may be used; the first is the default.", autocompletion=complete_model
        ),
    ] = None,
    print_config: Annotated[
        bool, typer.Option("--print-config", help="Print what known clients are configured with, and end.")
    ] = False,
) -> None:
    """Serve databases to agents by the Model Context Protocol.

    Exit codes: 0 the client ended it, 2 wrong usage, 3 a database cannot be read.
    """
    from critiql.cli.screen.failures import failures
    from critiql.server.serve import Options, whole

    databases = [_whole(item, whole) for item in db or ()]
    if print_config:
        typer.echo(configurations(databases, model or []))
        return
    options = Options(databases=databases, host=host, port=port, token=token, models=model or ())
    with failures():
        _serve(options, http=http)


def _whole(item: str, whole: Any) -> str:
    """A database with its path from the root: a client starts the command in a folder of its own."""
    name, equals, place = item.partition("=")
    is_named = bool(equals) and not any(mark in name for mark in "/\\:")
    return f"{name}={whole(place)}" if is_named else whole(item)


def _serve(options: Any, *, http: bool) -> None:
    """Serve until the client ends it.

    Raises:
        ServeError, DatabaseError: as `prepare`; and where the protocol's package is not installed.
    """
    from importlib.util import find_spec

    from critiql.server.offer import offer
    from critiql.server.serve import KEEP_ALIVE, ServeError, prepare

    if find_spec("mcp.server.mcpserver") is None:
        raise ServeError(
            "The package mcp 2.3 or newer is not installed. Run: pip install 'critiql[mcp]'. "
            "Where another package needs mcp 1, give Critiql an environment of its own."
        )
    offer(prepare(options if http else options._replace(port=0)))
    from critiql.server.mcp import make_server

    if not http:
        make_server().run("stdio")
        return
    import uvicorn

    from critiql.server.app import make_mcp_app

    uvicorn.run(
        make_mcp_app(),
        host=options.host,
        port=options.port,
        log_level="warning",
        timeout_keep_alive=KEEP_ALIVE,
    )


def configurations(databases: list[str], models: list[str]) -> str:
    """What the known clients are configured with, ready to be pasted."""
    command = str(Path(sys.argv[0]).absolute()) if os.sep in sys.argv[0] else "critiql"
    arguments = ["mcp", *(word for each in databases for word in ("--db", each))]
    arguments += [word for each in models for word in ("--model", each)]
    server: dict[str, Any] = {"command": command, "args": arguments}
    shell = " ".join(_quoted(word) for word in (command, *arguments))
    return "\n".join(
        [
            "# Claude Desktop: claude_desktop_config.json · Cursor: .cursor/mcp.json · LM Studio: mcp.json",
            json.dumps({"mcpServers": {"critiql": server}}, indent=2),
            "",
            "# VS Code: .vscode/mcp.json",
            json.dumps({"servers": {"critiql": {"type": "stdio", **server}}}, indent=2),
            "",
            "# Claude Code, in a shell",
            f"claude mcp add critiql -- {shell}",
            "",
            "# Clients that take an address (Open WebUI, ChatGPT): start it, then give http://127.0.0.1:8485/mcp",
            f"{shell} --http",
        ]
    )


def _quoted(word: str) -> str:
    import shlex

    return shlex.quote(word)
