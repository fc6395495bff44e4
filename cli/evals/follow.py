"""A running evaluation as the terminal shows it: one line that says how it goes."""

import time
from collections.abc import Callable, Iterable, Sequence

import typer
from rich.console import Console

import critiql.cli.screen.exit_codes as codes
from critiql.evals.data.task import Questions
from critiql.evals.run.progress import Progress
from critiql.evals.run.runner import Entrant, RunStoppedError, pending
from critiql.evals.run.store import Run, Store, StoredAnswer
from critiql.tools.schema.quoting import escape

LINE_EVERY = 30.0
"""Seconds between two lines of progress where there is no terminal."""

EXPORT_EVERY = 1200.0
"""Seconds between two exports of a long run."""

Answers = Iterable[tuple[Run, StoredAnswer]]

console = Console(stderr=True, soft_wrap=True, highlight=False, markup=False)


def follow(answers: Answers, progress: Progress, export_now: Callable[[], None]) -> None:
    """Take the answers as they come, say how it goes, export now and then and at the end.

    Raises:
        typer.Exit: interrupted, or the run cannot go on.
    """
    try:
        _show(answers, progress, export_now)
    except KeyboardInterrupt:
        console.print("Stopped. Every answer is kept; the same command goes on from here.")
        raise typer.Exit(codes.INTERRUPTED) from None
    except RunStoppedError as error:
        console.print(str(error))
        raise typer.Exit(codes.FAILED) from None
    finally:
        export_now()
        console.print(progress.line())


def announced(entrants: Sequence[Entrant], asked: Questions, store: Store) -> Progress:
    """Say what is to be done, and count what was done by earlier starts."""
    indices = {item.index for item in asked.items}
    progress = Progress(len(pending(entrants, asked.items, store)))
    for entrant in entrants:
        progress.count(entrant.run, (a for a in store.answers(entrant.run) if a.index in indices))
    names = ", ".join(f"{e.run.spec.system} ({e.run.id})" for e in entrants)
    console.print(f"{asked.label}: {len(indices)} questions; {names}; {progress.left} answers to go")
    return progress


def _show(answers: Answers, progress: Progress, export_now: Callable[[], None]) -> None:
    exported = printed = time.monotonic()
    with console.status("starting") as status:
        for run, answer in answers:
            progress.add(run, answer)
            status.update(progress.line())
            if answer.error:
                console.print(f"{run.spec.system}, question {answer.index}: {escape(answer.error)}")
            now = time.monotonic()
            if not console.is_terminal and now - printed > LINE_EVERY:
                console.print(progress.line())
                printed = now
            if now - exported > EXPORT_EVERY:
                export_now()
                exported = now
