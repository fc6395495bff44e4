"""`critiql eval guidelines`: a model writes guidelines for self-correction from a corpus of repairs."""

from pathlib import Path
from typing import Annotated

import typer

from critiql.agent.context import DEFAULT_MODEL
from critiql.cli.screen.failures import failures
from critiql.evals.detect.guidelines import guidelines_of
from critiql.tools.errors.guide.corpus import read_corpus
from critiql.tools.models.factory import load_model


def eval_guidelines(
    repairs: Annotated[Path, typer.Argument(help="Corpus that `critiql eval repairs` wrote.")],
    out: Annotated[Path, typer.Option(help="Where the guidelines go, a line each.")],
    model: Annotated[str, typer.Option(help="Model that writes them.")] = DEFAULT_MODEL,
) -> None:
    """Write one guideline for each type of error; read them before you use them, and mend what is wrong."""
    with failures():
        lines = list(guidelines_of(read_corpus(repairs), load_model(model)))
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    typer.echo(f"{len(lines)} guidelines written to {out}")
