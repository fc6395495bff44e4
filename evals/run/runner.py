"""The runner: asks systems the questions of a data set, scores each answer and keeps it at once.

Questions are grouped by database, so that all systems use one prefix state; per question every system answers
before the next question comes, so that a stopped run is still paired. In process, questions go one at a
time (a local model serves one call at a time anyway); a deployed graph is asked with concurrency.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from itertools import islice

from critiql.agent.answer import Answer
from critiql.evals.data.item import Item
from critiql.evals.run.call_cache import CachedModel
from critiql.evals.run.record import Asked, stored
from critiql.evals.run.scoring import Scorers
from critiql.evals.run.store import Run, Store, StoredAnswer
from critiql.tools.exceptions import CritiqlError

Ask = Callable[[Item], Answer]
"""Puts one question to one system."""


@dataclass(frozen=True)
class Entrant:
    """A system that takes part: its run in the store, and how it is asked."""

    run: Run
    ask: Ask


Task = tuple[Entrant, Item]

FAILURES_THAT_END = 5
"""Questions in a row on which the agent fails: then it is not the question."""


class RunStoppedError(CritiqlError):
    """A run cannot go on. The message says why; what was answered is in the store."""


def evaluate(
    entrants: Sequence[Entrant],
    items: Sequence[Item],
    store: Store,
    scorers: Scorers,
    *,
    models: Sequence[CachedModel] = (),
    concurrency: int = 1,
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[tuple[Run, StoredAnswer]]:
    """Answer what is not answered yet; each answer is in the store before it is yielded.

    Args:
        entrants: the systems.
        items: the questions.
        store: where answers go.
        scorers: how they are judged.
        models: cached models of this process, whose calls are noted with each answer.
        concurrency: questions in flight; above 1 only for systems that are deployed elsewhere.
        stop: looked at before each question; True ends the run early.

    Raises:
        RunStoppedError: the agent failed on several questions in a row.
    """
    tasks = _until(stop, pending(entrants, items, store))
    asked = _one_by_one(tasks, models) if concurrency == 1 else _at_once(tasks, concurrency)
    failures = 0
    for entrant, result in asked:
        answer = stored(result, scorers)
        store.add(entrant.run, answer)
        yield entrant.run, answer
        failures = failures + 1 if result.error else 0
        if failures == FAILURES_THAT_END:
            raise RunStoppedError(
                f"The agent failed on {failures} questions in a row, at last with {result.error} "
                "Mend this and start the same command again; what was answered is kept."
            )


def pending(entrants: Sequence[Entrant], items: Sequence[Item], store: Store) -> list[Task]:
    """What is left to ask, grouped by database, all systems in turn for each question."""
    done = {entrant.run.id: store.done(entrant.run) for entrant in entrants}
    ordered = sorted(items, key=lambda item: (item.db_id, item.index))
    return [(e, item) for item in ordered for e in entrants if item.index not in done[e.run.id]]


def budget(seconds: float | None) -> Callable[[], bool]:
    """A `stop` that becomes true once the seconds are spent; never for None."""
    started = time.monotonic()
    return lambda: seconds is not None and time.monotonic() - started > seconds


def _until(stop: Callable[[], bool], tasks: Iterable[Task]) -> Iterator[Task]:
    for task in tasks:
        if stop():
            return
        yield task


def _one_by_one(tasks: Iterable[Task], models: Sequence[CachedModel]) -> Iterator[tuple[Entrant, Asked]]:
    for entrant, item in tasks:
        yield entrant, _asked(entrant, item, models)


def _at_once(tasks: Iterator[Task], concurrency: int) -> Iterator[tuple[Entrant, Asked]]:
    """Keep `concurrency` questions in flight; answers come as they are ready."""
    with ThreadPoolExecutor(concurrency) as pool:
        flying: dict[Future[Asked], Entrant] = {}
        for entrant, item in islice(tasks, concurrency):
            flying[pool.submit(_asked, entrant, item, ())] = entrant
        while flying:
            ready = next(as_completed(flying))
            yield flying.pop(ready), ready.result()
            for entrant, item in islice(tasks, 1):
                flying[pool.submit(_asked, entrant, item, ())] = entrant


def _asked(entrant: Entrant, item: Item, models: Sequence[CachedModel]) -> Asked:
    for model in models:
        model.drain()
    started = time.monotonic()
    answer, error = None, None
    try:
        answer = entrant.ask(item)
    except Exception as reason:  # noqa: BLE001 one question's fault must not end a run of hours; it is counted
        error = f"{type(reason).__name__}: {reason}"
    calls = [call for model in models for call in model.drain()]
    return Asked(item, answer, time.monotonic() - started, calls, error)
