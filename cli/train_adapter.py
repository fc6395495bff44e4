"""`critiql train adapter`: fit an adapter for one role, which acts after the schema's prefix."""

# the extra `lora` is not there where types are checked
# pyright: reportMissingImports=false

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from critiql.agent.context import DEFAULT_MODEL
from critiql.cli.screen import exit_codes
from critiql.cli.screen.extras import extra
from critiql.cli.screen.failures import fail
from critiql.cli.training import local_model, training_failures

if TYPE_CHECKING:
    from critiql.training.adapters.suffix_fit import Progress
    from critiql.training.data.example_file import Row

TOLD_EVERY = 10
"""Steps between two lines that say how far it is."""


class Trained(StrEnum):
    """The roles that there are sets for."""

    ACTOR = "actor"
    LLM_CRITIC = "llm_critic"


class Precision(StrEnum):
    """Of the weights while an adapter is fitted to them."""

    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"


class Layers(StrEnum):
    """Which linear layers of a block get an adapter."""

    ATTENTION = "attention"
    ALL = "all"


def adapter(
    role: Annotated[Trained, typer.Option(help="Who answers with the adapter on.")],
    data: Annotated[Path, typer.Option(help="JSONL file of critiql train data --task ROLE.")],
    out: Annotated[Path, typer.Option(help="Adapter to write, a .gguf; its card goes beside it.")],
    model: Annotated[str, typer.Option(help="Local model: registry name or path of a GGUF.")] = DEFAULT_MODEL,
    start: Annotated[
        Path | None, typer.Option(help="Adapter to go on from, a .gguf of the same rank and layers.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many examples that train.")] = None,
    layers: Annotated[
        Layers, typer.Option(help="attention: 4 % slower decoding; all: 20 %.")
    ] = Layers.ATTENTION,
    rank: Annotated[int, typer.Option(min=1, max=256, help="Rank of the adapter.")] = 16,
    epochs: Annotated[int, typer.Option(min=1, help="Times every example is learnt.")] = 1,
    batch: Annotated[int, typer.Option(min=1, help="Examples of one database a step.")] = 8,
    rate: Annotated[float, typer.Option(help="Highest learning rate.")] = 3e-4,
    seed: Annotated[int, typer.Option(help="Names the first weights and the order.")] = 0,
    threads: Annotated[int | None, typer.Option(min=1, help="Cores; all by default.")] = None,
    precision: Annotated[
        Precision | None, typer.Option(help="Of the model's weights; by default what is fastest here.")
    ] = None,
) -> None:
    """Fit an adapter for one role, on a GPU where there is one. Stopped, the same command goes on.

    It acts after the schema's prefix: the prefix's state stays the model's own, and is shared by all roles.
    """
    if not data.is_file():
        fail(f"There is no file {data}. Check the path.", exit_codes.USAGE)
    if out.suffix.lower() != ".gguf":
        fail(f"{out} does not end with .gguf, so no model could be named with it.", exit_codes.USAGE)
    if start is not None and not start.is_file():
        fail(f"There is no adapter {start} to start from. Check the path.", exit_codes.USAGE)
    with extra("evals"):
        from critiql.training.data.example_file import card_path, write_card
    with extra("lora"):
        import torch

        from critiql.training.adapters.base_model import ATTENTION, LAYERS, fast_precision
        from critiql.training.adapters.suffix_adapter import train_suffix_adapter
        from critiql.training.adapters.suffix_fit import SuffixPlan
    if threads is not None:
        torch.set_num_threads(threads)
    with training_failures():
        rows = _examples(data, role, limit)
        named = ATTENTION if layers is Layers.ATTENTION else LAYERS
        plan = SuffixPlan(named, rank, 2.0 * rank, epochs, batch, rate, seed=seed)
        kind = fast_precision() if precision is None else precision.value
        card = train_suffix_adapter(rows, plan, local_model(model), data, out, kind, _tell, start)
        write_card(card, out)
    shown = {key: card[key] for key in ("losses", "validation_loss", "agreement")}
    typer.echo(json.dumps({"file": str(out), "card": str(card_path(out)), **shown}))


def _examples(data: Path, role: Trained, limit: int | None) -> "list[Row]":
    """The first examples that train, and all that validate; a set is in the order in which it was drawn.

    Raises:
        ValueError: the file has none for the role.
    """
    from critiql.training.data.example_file import read_rows

    rows = [row for row in read_rows(data) if row.get("task") == role.value]
    train, held = ([row for row in rows if row["part"] == part] for part in ("train", "validation"))
    if not train or not held:
        raise ValueError(
            f"{data} holds no examples for the {role} to learn and to validate on. Make the set with "
            f"critiql train data --task {role}."
        )
    return train[:limit] + held


def _tell(progress: "Progress") -> None:
    if progress.step % TOLD_EVERY and progress.step != progress.steps:
        return
    pace = progress.seconds / max(1, progress.step)
    typer.echo(
        f"step {progress.step} of {progress.steps}, loss {progress.loss:.3f}, {pace:.1f} s a step, "
        f"{progress.left / 60:.0f} minutes left",
        err=True,
    )
