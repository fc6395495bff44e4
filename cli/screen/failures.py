"""Errors as the user sees them: what happened, why, what to do; no stack trace."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer
from pydantic import ValidationError
from rich.console import Console

from critiql.agent.roles.ground import QuestionError
from critiql.cli.screen import exit_codes
from critiql.graphs.catalogue import UnknownGraphError
from critiql.graphs.checkpoints.saver import CheckpointError
from critiql.tools.database.engine import DatabaseError
from critiql.tools.models.model import ModelError
from critiql.tools.question_pairs import PairsError
from critiql.tools.schema.quoting import escape_lines

CODES: dict[type[Exception], int] = {
    DatabaseError: exit_codes.DATABASE,
    ModelError: exit_codes.MODEL,
    QuestionError: exit_codes.USAGE,
    PairsError: exit_codes.USAGE,
    UnknownGraphError: exit_codes.USAGE,
    CheckpointError: exit_codes.CHECKPOINT,
}


@contextmanager
def failures() -> Iterator[None]:
    """Turn the errors a user can cause into a sentence and an exit code.

    Raises:
        typer.Exit: with a code of `cli.exit_codes`.
    """
    try:
        yield
    except ValidationError as error:
        fail(
            "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()), exit_codes.USAGE
        )
    except KeyboardInterrupt:
        fail("Interrupted; nothing was changed.", exit_codes.INTERRUPTED)
    except tuple(CODES) as error:
        fail(str(error), next(code for kind, code in CODES.items() if isinstance(error, kind)))


def fail(message: str, code: int) -> None:
    """Say it on standard error and leave.

    Raises:
        typer.Exit: always.
    """
    console = Console(stderr=True)
    console.print(escape_lines(message), markup=False, highlight=False, style="red", soft_wrap=True)
    raise typer.Exit(code)
