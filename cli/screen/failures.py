"""Errors as the user sees them: what happened, why, what to do; no stack trace."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer
from pydantic import ValidationError
from rich.console import Console

from critiql.cli.screen import exit_codes
from critiql.tools.exceptions import CritiqlError
from critiql.tools.schema.quoting import escape_lines


@contextmanager
def failures() -> Iterator[None]:
    """Turn the errors a user can cause into a sentence and an exit code.

    Raises:
        typer.Exit: with the error's own code.
    """
    try:
        yield
    except ValidationError as error:
        fail("; ".join(": ".join([*map(str, e["loc"]), e["msg"]]) for e in error.errors()), exit_codes.USAGE)
    except KeyboardInterrupt:
        fail("Interrupted; nothing was changed.", exit_codes.INTERRUPTED)
    except CritiqlError as error:
        fail(str(error), error.exit_code)


def fail(message: str, code: int) -> NoReturn:
    """Say it on standard error and leave.

    Raises:
        typer.Exit: always.
    """
    console = Console(stderr=True)
    console.print(escape_lines(message), markup=False, highlight=False, style="red", soft_wrap=True)
    raise typer.Exit(code)
