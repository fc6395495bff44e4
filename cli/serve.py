"""critiql serve: one server for the page, chat front-ends, agents and this user's shells."""

import os
import secrets
from typing import Annotated

import typer
from rich.console import Console

from critiql.cli.completion import complete_model

Token = Annotated[
    str,
    typer.Option(
        envvar="CRITIQL_TOKEN",
        help="What every request must carry; `new` makes one. Required beyond this machine.",
    ),
]


def serve(
    db: Annotated[
        list[str] | None,
        typer.Option(help="A database, as NAME=PATH or NAME=URL; several may be given. None: the sample."),
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8484,
    token: Token = "",
    users: Annotated[
        str, typer.Option(help="File of lines NAME TOKEN: users who see nothing of each other.")
    ] = "",
    model: Annotated[
        list[str] | None,
        typer.Option(
            help="A model that may be asked for; the first is the default.", autocompletion=complete_model
        ),
    ] = None,
    examples: Annotated[str, typer.Option(help="File of verified pairs that every run is shown.")] = "",
    no_memory: Annotated[
        bool, typer.Option("--no-memory", help="Nobody may verify pairs, and no run is shown any.")
    ] = False,
    allow_host: Annotated[list[str] | None, typer.Option(help="A name under which it is reached.")] = None,
    allow_origin: Annotated[list[str] | None, typer.Option(help="A web site whose pages may use it.")] = None,
    allow_uploads: Annotated[
        bool, typer.Option("--allow-uploads", help="Take SQLite files from the page.")
    ] = False,
    otel: Annotated[bool, typer.Option("--otel", help="Send OpenTelemetry spans.")] = False,
) -> None:
    """Serve databases: a page, the OpenAI chat protocol, MCP and the LangGraph API, on one port.

    Exit codes: 0 ended by Ctrl-C, 2 wrong usage, 3 a database cannot be read.
    """
    from critiql.cli.screen.failures import failures
    from critiql.cli.screen.pulling import pull_missing
    from critiql.server.serve import Options
    from critiql.server.serve import serve as run_server
    from critiql.tools.telemetry import start

    made = secrets.token_urlsafe(24) if token == "new" else token
    options = Options(
        databases=db or (),
        host=host,
        port=port,
        token=made,
        users=users,
        models=model or (),
        examples=examples,
        memory=not no_memory,
        hosts=allow_host or (),
        origins=allow_origin or (),
        uploads=allow_uploads,
    )
    with failures():
        if otel:
            start()
        pull_missing(options.models)
        _say(options.host, port, made)
        run_server(options)


def _say(host: str, port: int, token: str) -> None:
    """Where it can be reached."""
    shown = f"[{host}]" if ":" in host else host
    url = f"http://{shown}:{port}"
    fragment = f"#token={token}" if token else ""
    console = Console(stderr=True)
    for name, place in (
        ("page", f"{url}/page/{fragment}"),
        ("OpenAI clients", f"{url}/v1"),
        ("MCP", f"{url}/mcp"),
        ("LangGraph API", url),
    ):
        console.print(f"{name:>15}  {place}", markup=False, highlight=False, soft_wrap=True)
    console.print("End it with Ctrl-C.", style="dim")
    os.environ.pop("CRITIQL_TOKEN", None)
