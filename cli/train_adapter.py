"""`critiql train adapter`: fit an adapter for one role, which acts after the schema's prefix."""

# the extra `lora` is not there where types are checked
# pyright: reportMissingImports=false

import json
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from critiql.agent.context import DEFAULT_MODEL
from critiql.cli.screen import exit_codes
from critiql.cli.screen.extras import extra
from critiql.cli.screen.failures import fail
from critiql.cli.training import local_model, quiet_libraries, training_failures
from critiql.tools.database.named import named_database
from critiql.tools.models.factory import make_model
from critiql.tools.schema.quoting import escape

if TYPE_CHECKING:
    from critiql.training.adapters.before_after import Compared
    from critiql.training.adapters.suffix_fit import Expected, Progress, SuffixPlan
    from critiql.training.data.example_file import Row

TOLD_EVERY = 10
"""Steps between two lines that say how far it is."""
EPOCHS, OWN_EPOCHS = 1, 4
"""Times every example is learnt: of a set, and of a user's few pairs."""


class Trained(StrEnum):
    """The roles that there are sets for."""

    ACTOR = "actor"
    LLM_CRITIC = "llm_critic"
    SELECTOR = "selector"
    ERROR_DETECTOR = "error_detector"
    REFINER = "refiner"
    SAM = "sam"
    LOM = "lom"

    @property
    def task(self) -> str:
        """What `critiql train data` calls its set."""
        return "detector" if self is Trained.ERROR_DETECTOR else self.value


class Precision(StrEnum):
    """Of the weights while an adapter is fitted to them."""

    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"


class Layers(StrEnum):
    """Which linear layers of a block get an adapter."""

    ATTENTION = "attention"
    ALL = "all"


Data = Annotated[Path | None, typer.Option(help="JSONL file of critiql train data --task ROLE.")]
Pairs = Annotated[
    Path | None,
    typer.Option(help="In place of --data: your verified pairs, .csv or .jsonl, as critiql memory export."),
]
Db = Annotated[str, typer.Option(help="Database of --pairs: path or URL; without it the sample database.")]
Yes = Annotated[bool, typer.Option("--yes", help="Begin with --pairs without asking.")]
Start = Annotated[
    Path | None, typer.Option(help="Adapter to go on from, a .gguf of the same rank and layers.")
]
Limit = Annotated[int | None, typer.Option(min=1, help="At most so many examples that train.")]
Epochs = Annotated[
    int | None,
    typer.Option(min=1, help=f"Times every example is learnt; {EPOCHS}, or {OWN_EPOCHS} of --pairs."),
]
Threads = Annotated[int | None, typer.Option(min=1, help="Cores; all by default.")]
OfWeights = Annotated[
    Precision | None, typer.Option(help="Of the model's weights; by default what is fastest here.")
]


class Fit(NamedTuple):
    """What is fitted, to what, and where it goes."""

    rows: "list[Row]"
    plan: "SuffixPlan"
    model: str
    data: Path
    out: Path
    start: Path | None
    precision: Precision | None


def adapter(
    role: Annotated[Trained, typer.Option(help="Who answers with the adapter on.")],
    out: Annotated[Path, typer.Option(help="Adapter to write, a .gguf; its card goes beside it.")],
    data: Data = None,
    pairs: Pairs = None,
    db: Db = "",
    yes: Yes = False,
    model: Annotated[str, typer.Option(help="Local model: registry name or path of a GGUF.")] = DEFAULT_MODEL,
    start: Start = None,
    limit: Limit = None,
    layers: Annotated[
        Layers, typer.Option(help="attention: 4 % slower decoding; all: 20 %.")
    ] = Layers.ATTENTION,
    rank: Annotated[int, typer.Option(min=1, max=256, help="Rank of the adapter.")] = 16,
    epochs: Epochs = None,
    batch: Annotated[int, typer.Option(min=1, help="Examples of one database a step.")] = 8,
    rate: Annotated[float, typer.Option(help="Highest learning rate.")] = 3e-4,
    seed: Annotated[int, typer.Option(help="Names the first weights and the order.")] = 0,
    threads: Threads = None,
    precision: OfWeights = None,
) -> None:
    """Fit an adapter for one role, on a GPU where there is one. Stopped, the same command goes on.

    It acts after the schema's prefix: the prefix's state stays the model's own, and is shared by all roles.
    With --pairs it is fitted to your own database, and measured on a fifth of the pairs that is held out.
    """
    source = _checked(role, data, pairs, out, start)
    _set_threads(threads)
    with training_failures():
        rows = _examples(source, role) if pairs is None else _own_examples(source, db, seed)
        plan = _plan(layers, rank, epochs or (OWN_EPOCHS if pairs else EPOCHS), batch, rate, seed)
        fit = Fit(_first(rows, limit), plan, model, source, out, start, precision)
        if pairs is None:
            _finish(fit, _trained(fit))
        else:
            card = _trained(fit, lambda expected: _ask_first(fit, expected, yes=yes))
            _finish(fit, card, _held_out(fit, db))


def _checked(role: Trained, data: Path | None, pairs: Path | None, out: Path, start: Path | None) -> Path:
    """The file to learn from, where all that was named can be used; else the reason, and the end."""
    source = data or pairs
    if source is None or (data and pairs):
        fail("Name what to learn from: --data for a set, or --pairs for your own pairs.", exit_codes.USAGE)
    if pairs and role is not Trained.ACTOR:
        fail(f"Pairs are questions with queries, which teach the actor and not the {role}.", exit_codes.USAGE)
    if not source.is_file():
        fail(f"There is no file {source}. Check the path.", exit_codes.USAGE)
    if out.suffix.lower() != ".gguf":
        fail(f"{out} does not end with .gguf, so no model could be named with it.", exit_codes.USAGE)
    if start is not None and not start.is_file():
        fail(f"There is no adapter {start} to start from. Check the path.", exit_codes.USAGE)
    return source


def _set_threads(threads: int | None) -> None:
    with extra("lora"):
        import torch
    if threads is not None:
        torch.set_num_threads(threads)


def _plan(layers: Layers, rank: int, epochs: int, batch: int, rate: float, seed: int) -> "SuffixPlan":
    with extra("lora"):
        from critiql.training.adapters.base_model import ATTENTION, LAYERS
        from critiql.training.adapters.suffix_fit import SuffixPlan
    named = ATTENTION if layers is Layers.ATTENTION else LAYERS
    return SuffixPlan(named, rank, 2.0 * rank, epochs, batch, rate, seed=seed)


def _examples(data: Path, role: Trained) -> "list[Row]":
    """The examples of a role, in the order in which they were drawn.

    Raises:
        ValueError: the file has none for the role.
    """
    with extra("evals"):
        from critiql.training.data.example_file import read_rows
    rows = [row for row in read_rows(data) if row.get("task") == role.task]
    if {row["part"] for row in rows} != {"train", "validation"}:
        raise ValueError(
            f"{data} holds no examples for the {role} to learn and to validate on. Make the set with "
            f"critiql train data --task {role.task}."
        )
    return rows


def _own_examples(pairs: Path, db: str, seed: int) -> "list[Row]":
    """Examples of the user's own pairs; those that do not run are named on standard error."""
    with extra("evals"):
        from critiql.training.data.own_pairs import own_pairs
    own = own_pairs(pairs, named_database(db), seed)
    for said in own.left_out:
        typer.echo(escape(said), err=True)
    return own.rows


def _first(rows: "list[Row]", limit: int | None) -> "list[Row]":
    """The first examples that train, and all that validate."""
    train, held = ([row for row in rows if row["part"] == part] for part in ("train", "validation"))
    return train[:limit] + held


def _trained(fit: Fit, expect: "Callable[[Expected], None] | None" = None) -> "Row":
    """Fit and write; the adapter's card."""
    with extra("lora"):
        from critiql.training.adapters.base_model import fast_precision
        from critiql.training.adapters.suffix_adapter import train_suffix_adapter
    precision = fast_precision() if fit.precision is None else fit.precision.value
    base = local_model(fit.model)
    typer.echo("Reading the model and the examples; that takes up to a minute or two.", err=True)
    with quiet_libraries():
        return train_suffix_adapter(
            fit.rows, fit.plan, base, fit.data, fit.out, precision, _tell, fit.start, expect
        )


def _ask_first(fit: Fit, expected: "Expected", *, yes: bool) -> None:
    """Say how long it will take and what is held out, and go on only with a yes.

    Raises:
        typer.Exit: the answer is no, or nobody can answer.
    """
    held = sum(row["part"] == "validation" for row in fit.rows)
    told = duration(expected.seconds)
    typer.echo(
        f"{len(fit.rows) - held} pairs are learnt and {held} held out, a fifth, to measure on. "
        f"Training takes about {told}: {expected.steps} steps of {expected.step:.1f} s, as one was measured "
        "here. Answering the held-out questions twice comes on top.",
        err=True,
    )
    if not yes and not typer.confirm("Go on?", err=True):
        raise typer.Exit(exit_codes.OK)


def _held_out(fit: Fit, db: str) -> "Compared":
    """The held-out questions, answered without and with the adapter."""
    from critiql.training.adapters.before_after import Compared, right_answers

    held, database = [row for row in fit.rows if row["part"] == "validation"], named_database(db)
    models = (make_model(fit.model), make_model(f"{fit.model}+{fit.out}"))
    return Compared(*(right_answers(held, model, database) for model in models))


def _finish(fit: Fit, card: "Row", compared: "Compared | None" = None) -> None:
    """Write the card and say what came of it."""
    from critiql.training.data.example_file import card_path, write_card

    if compared is not None:
        card["held_out"] = compared.as_row()
        typer.echo("\n".join(compared.lines()), err=True)
    write_card(card, fit.out)
    names = ("losses", "validation_loss", "agreement", "held_out")
    shown = {name: card[name] for name in names if name in card}
    typer.echo(json.dumps({"file": str(fit.out), "card": str(card_path(fit.out)), **shown}))


def _tell(progress: "Progress") -> None:
    if progress.step % TOLD_EVERY and progress.step != progress.steps:
        return
    typer.echo(
        f"step {progress.step} of {progress.steps}, loss {progress.loss:.3f}, {progress.pace:.1f} s a step, "
        f"{progress.left / 60:.0f} minutes left",
        err=True,
    )
    if progress.step == progress.steps:
        typer.echo(
            "Learnt. Now it is measured on the held-out examples, and llama.cpp is asked whether it computes "
            "the same; that takes some minutes more.",
            err=True,
        )


def duration(seconds: float) -> str:
    """Seconds in words."""
    if seconds < 90:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"
