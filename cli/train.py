"""`critiql train`: build training sets from verified queries, and fit the detector's head or an adapter."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from critiql.cli.screen import exit_codes
from critiql.cli.screen.extras import extra
from critiql.cli.screen.failures import fail
from critiql.cli.train_adapter import adapter
from critiql.cli.train_parcels import pack, unpack
from critiql.cli.training import local_model, quiet_libraries, training_failures

with extra("evals"):
    from critiql.agent.context import DEFAULT_MODEL
    from critiql.agent.detect.prompt import detector_digest
    from critiql.evals.data.datasets import load
    from critiql.evals.data.item import Dataset
    from critiql.evals.run.cached_models import cached
    from critiql.evals.run.call_cache import CallCache
    from critiql.tools.arrays import Floats
    from critiql.tools.models.files.store import resolve
    from critiql.training.data.example_file import card_path, data_card, read_rows, write_card, write_rows
    from critiql.training.data.sets import build
    from critiql.training.head.detector import check_parts, drawn, fit_detector
    from critiql.training.head.head_card import head_card
    from critiql.training.head.states import hidden_states

app = typer.Typer(no_args_is_help=True, help="Build training data; fit the detector's head or an adapter.")
app.command("adapter")(adapter)
app.command("pack")(pack)
app.command("unpack")(unpack)


class Task(StrEnum):
    """What the examples are for."""

    SAM = "sam"
    LOM = "lom"
    ACTOR = "actor"
    EVERYDAY = "everyday"
    LLM_CRITIC = "llm_critic"
    SELECTOR = "selector"
    REFINER = "refiner"
    DETECTOR = "detector"


class Start(StrEnum):
    """Where the rows of a head start."""

    WORDS = "words"
    ZEROS = "zeros"


DataOption = Annotated[Path, typer.Option(help="JSONL file of critiql train data --task detector.")]


@app.command("data")
def data(
    task: Annotated[Task, typer.Option(help="Which model the examples are for.")],
    out: Annotated[Path, typer.Option(help="JSONL file to write; its card goes beside it.")],
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many examples.")] = None,
    seed: Annotated[int, typer.Option(help="Names every draw.")] = 0,
    predictions: Annotated[
        Path | None, typer.Option(help="Store of an evaluation on the same data: what the actor wrote.")
    ] = None,
    dataset: Annotated[str, typer.Option(help="Data set, or your own .jsonl or .csv.")] = "spider-train",
) -> None:
    """Write a training set with its card. It holds the benchmark's text: keep it out of any repository."""
    _there(predictions)
    with training_failures(), progress(f"{task} examples") as following:
        found = _dataset(dataset)
        rows = build(task.value, found, limit=limit, seed=seed, predictions=predictions, follow=following)
        write_rows(rows, out)
        card = data_card(task.value, rows, found, out, seed)
        write_card(card, out)
    typer.echo(json.dumps({"file": str(out), "card": str(card_path(out)), **card["by_part"]}))


@app.command("detector")
def detector(
    data: DataOption,
    out: Annotated[Path, typer.Option(help="Safetensors file to write; its card goes beside it.")],
    model: Annotated[str, typer.Option(help="Local model: registry name or path of a GGUF.")] = DEFAULT_MODEL,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many examples.")] = None,
    states: Annotated[
        Path | None, typer.Option(help="SQLite file that keeps hidden states; default: beside --out.")
    ] = None,
    start: Annotated[
        Start,
        typer.Option(help="words: from the mean embeddings of each type's words (equation 11); or zeros."),
    ] = Start.WORDS,
) -> None:
    """Fit the error-token head on hidden states of a local model. Stopped, the same command goes on.

    With --start words it is fitted from zeros as well, and the card compares the two.
    """
    _there(data)
    kept = states or out.with_name(out.name + ".states.sqlite")
    with training_failures(), progress("hidden states") as following:
        rows = drawn(read_rows(data), limit)
        check_parts(rows)
        starts = _starts(model, start)
        reader = cached(model, CallCache(kept))
        hidden = hidden_states(rows, reader, following(len(rows)))
        fits = {
            name: fit_detector(rows, hidden, reader.fingerprint, detector_digest(), first)
            for name, first in starts.items()
        }
        fits[start.value].head.save(out)
        card = head_card(fits, start.value, rows, data, out, model)
        write_card(card, out)
    typer.echo(json.dumps({"file": str(out), "card": str(card_path(out)), "validation": card["validation"]}))


@app.command("lora")
def lora(
    data: Annotated[Path, typer.Option(help="JSONL file of critiql train data, of any task.")],
    out: Annotated[Path, typer.Option(help="Adapter to write, a .gguf; its card goes beside it.")],
    model: Annotated[str, typer.Option(help="Local model: registry name or path of a GGUF.")] = DEFAULT_MODEL,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many examples.")] = None,
    rank: Annotated[int, typer.Option(min=1, max=256, help="Rank of the adapter.")] = 16,
    epochs: Annotated[int, typer.Option(min=1, help="Times every example is learnt.")] = 2,
    batch: Annotated[int, typer.Option(min=1, help="Examples a step.")] = 8,
    rate: Annotated[float, typer.Option(help="Learning rate at the start; it falls to 0.")] = 1e-4,
    seed: Annotated[int, typer.Option(help="Names the first weights and the order.")] = 0,
) -> None:
    """Fit a LoRA adapter for a local model, on a GPU where there is one. Stopped, the same command goes on.

    Then name both where a model is named: MODEL+ADAPTER.gguf.
    """
    _there(data)
    if out.suffix.lower() != ".gguf":
        fail(f"{out} does not end with .gguf, so no model could be named with it.", exit_codes.USAGE)
    with extra("lora"):
        from critiql.training.adapters.adapter import train_adapter
        from critiql.training.adapters.lora import Plan
    with training_failures(), quiet_libraries(), progress("steps") as following:
        rows = drawn(read_rows(data), limit)
        check_parts(rows)
        plan = Plan(rank=rank, alpha=2.0 * rank, epochs=epochs, batch=batch, rate=rate, seed=seed)
        card = train_adapter(rows, plan, local_model(model), data, out, following)
        write_card(card, out)
    shown = {key: card[key] for key in ("loss", "validation_loss", "agreement")}
    typer.echo(json.dumps({"file": str(out), "card": str(card_path(out)), **shown}))


def _starts(model: str, start: Start) -> dict[str, Floats | None]:
    """The rows that heads are fitted from, by name."""
    if start is Start.ZEROS:
        return {"zeros": None}
    with extra("train"):
        from critiql.training.head.initial_rows import initial_rows
    return {"words": initial_rows(resolve(model)), "zeros": None}


def _there(file: Path | None) -> None:
    if file is not None and not file.is_file():
        fail(f"There is no file {file}. Check the path.", exit_codes.USAGE)


def _dataset(name: str) -> Dataset:
    found = load(name)
    if found.not_run:
        raise ValueError(f"{name} cannot be used: {found.not_run}.")
    return found


@contextmanager
def progress(what: str) -> Iterator[Callable[[int], Callable[[], None]]]:
    """A bar on standard error: called with a total it gives what is to be called after each step."""
    with Progress(console=Console(stderr=True)) as bar:

        def start(total: int) -> Callable[[], None]:
            shown = bar.add_task(what, total=total)
            return lambda: bar.advance(shown)

        yield start
