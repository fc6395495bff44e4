"""Opening a store or export for a command: what is wrong with it, or missing in it, is a sentence."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from critiql.cli.screen import exit_codes
from critiql.cli.screen.failures import fail
from critiql.evals.run.export import open_results
from critiql.evals.run.store import Store


@contextmanager
def stated() -> Iterator[None]:
    """What cannot be read, or is not in a store, is a sentence.

    Raises:
        typer.Exit: the block did not find what it was asked for.
    """
    try:
        yield
    except (LookupError, ValueError, FileNotFoundError) as error:
        fail(str(error).strip('"'), exit_codes.USAGE)


@contextmanager
def results_of(file: Path) -> Iterator[Store]:
    """The runs and answers of a store or export, for as long as the block runs.

    Raises:
        typer.Exit: the file cannot be read, or the block did not find in it what it was asked for.
    """
    with stated(), open_results(file) as results:
        yield results
