"""critiql events: what the trace of a run may hold, and the JSON schema of it."""

import json
from typing import Annotated

import typer


def events(
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON schema of every event.")] = False,
) -> None:
    """List the events of the trace; with --schema print their JSON schema."""
    from critiql.agent.events import EVENT

    document = EVENT.json_schema(mode="serialization")
    if schema:
        typer.echo(json.dumps(document, indent=2))
        return
    for name, place in sorted(document["discriminator"]["mapping"].items()):
        typer.echo(f"{name:12} {document['$defs'][place.rpartition('/')[2]]['description']}")
