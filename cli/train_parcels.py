"""`critiql train pack` and `unpack`: adapters fitted on a GPU that is lent for minutes, without a network."""

# the extra `lora` is not there where types are checked
# pyright: reportMissingImports=false

import json
from pathlib import Path
from typing import Annotated

import typer

from critiql.agent.context import DEFAULT_MODEL
from critiql.cli.screen import exit_codes
from critiql.cli.screen.extras import extra
from critiql.cli.screen.failures import fail
from critiql.cli.training import local_model, quiet_libraries, training_failures

DataOption = Annotated[list[Path], typer.Option(help="Training set of one role; repeatable.")]
ModelOption = Annotated[str, typer.Option(help="Local model: registry name or path of a GGUF.")]


def pack(
    data: DataOption,
    out: Annotated[Path, typer.Option(help="Folder of what is carried there.")],
    model: ModelOption = DEFAULT_MODEL,
    piece_mb: Annotated[float, typer.Option(min=0.1, help="Most megabytes of a piece.")] = 45.0,
) -> None:
    """Write training sets and their model in pieces, for a GPU that has no network."""
    _there(data)
    with extra("lora"):
        from critiql.training.parcels.pack import pack as write_parcels
    with training_failures():
        manifest = write_parcels(data, local_model(model), round(piece_mb * 2**20), out)
    told = {one.role: one.examples for one in manifest.roles}
    typer.echo(json.dumps({"folder": str(out), "pieces": len(manifest.pieces), "examples": told}))


def unpack(
    data: DataOption,
    packed: Annotated[Path, typer.Option(help="Folder of critiql train pack.")],
    returned: Annotated[Path, typer.Option(help="Folder of what came back.")],
    out: Annotated[Path, typer.Option(help="Folder for the adapters, ROLE.gguf, with a card beside each.")],
    model: ModelOption = DEFAULT_MODEL,
) -> None:
    """Put adapters that came back together, and hold each against llama.cpp."""
    _there(data)
    with extra("lora"):
        from critiql.training.parcels.unpack import unpack as read_parcels
    with training_failures(), quiet_libraries():
        cards = read_parcels(packed, returned, data, local_model(model), out)
    for card in cards:
        shown = {key: card[key] for key in ("role", "losses", "validation_loss", "agreement", "hours")}
        typer.echo(json.dumps(shown))


def _there(data: list[Path]) -> None:
    for path in data:
        if not path.is_file():
            fail(f"There is no file {path}. Check the path.", exit_codes.USAGE)
