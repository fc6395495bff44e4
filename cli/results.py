"""Opening a store or export for a command: what is wrong with it, or missing in it, is a sentence."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from critiql.cli import exit_codes
from critiql.cli.failures import fail
from critiql.evals.export import open_results
from critiql.evals.store import Store


@contextmanager
def results_of(file: Path) -> Iterator[Store]:
    """The runs and answers of a store or export, for as long as the block runs.

    Raises:
        typer.Exit: the file cannot be read, or the block did not find in it what it was asked for.
    """
    try:
        with open_results(file) as results:
            yield results
    except (LookupError, ValueError, FileNotFoundError) as error:
        fail(str(error).strip('"'), exit_codes.USAGE)
