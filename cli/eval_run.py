"""`critiql eval run`: ask systems the questions of a data set and keep every answer."""

import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from critiql.agent.context import Context
from critiql.cli import exit_codes
from critiql.cli.failures import fail, failures
from critiql.evals.cached_models import cached_models, fingerprint
from critiql.evals.call_cache import CachedModel, CallCache
from critiql.evals.export import export, fill_cache
from critiql.evals.progress import Progress
from critiql.evals.provenance import code_digest, commit, machine, prompt_digests
from critiql.evals.runner import Entrant, Scorers, budget, evaluate, pending
from critiql.evals.scoring import execution_score, suite_score
from critiql.evals.store import Run, RunSpec, Store, StoredAnswer
from critiql.evals.systems import context_of, local, remote, settings_of
from critiql.evals.task import Questions, questions

EXPORT_EVERY = 1200.0
"""Seconds between two exports of a long run."""

LINE_EVERY = 30.0
"""Seconds between two lines of progress where there is no terminal."""

console = Console(stderr=True)


def eval_run(
    dataset: Annotated[str, typer.Argument(help="Task, data set, or a .csv or .jsonl file of your own.")],
    system: Annotated[str, typer.Option(help="Graphs, separated by commas.")] = "single_shot",
    model: Annotated[str | None, typer.Option(help="Model of every role.")] = None,
    critic_model: Annotated[str | None, typer.Option(help="Model of the LLM critic, if another.")] = None,
    limit: Annotated[int | None, typer.Option(help="Draw so many questions, stratified.", min=1)] = None,
    seed: Annotated[int, typer.Option(help="Names the draw of the questions.")] = 0,
    store: Annotated[Path, typer.Option(help="SQLite file of answers and traces.")] = Path("eval.sqlite"),
    calls: Annotated[
        Path | None, typer.Option(help="SQLite file of model calls; default: calls.sqlite beside the store.")
    ] = None,
    setting: Annotated[
        list[str] | None, typer.Option("--set", help="Setting of the agent as key=value; repeatable.")
    ] = None,
    suite: Annotated[bool, typer.Option("--suite", help="Score test-suite accuracy as well.")] = False,
    resume: Annotated[
        list[Path] | None, typer.Option(help="Export whose model calls fill the cache first; repeatable.")
    ] = None,
    export_to: Annotated[
        Path | None, typer.Option("--export", help="Export here every 20 minutes and at the end.")
    ] = None,
    seconds_budget: Annotated[
        float | None, typer.Option(help="Stop after so long; start again to go on.")
    ] = None,
    url: Annotated[str | None, typer.Option(help="LangGraph server whose graphs are asked.")] = None,
    concurrency: Annotated[int, typer.Option(help="Questions in flight at a server.", min=1)] = 1,
) -> None:
    """Ask systems the questions of a data set; the same command again goes on after a stop."""
    if concurrency > 1 and url is None:
        fail(
            "--concurrency needs --url: a model in this process answers one call at a time.", exit_codes.USAGE
        )
    with failures(), ExitStack() as stack:
        asked, context = _given(dataset, limit, seed, model, critic_model, setting or [])
        cache = CallCache(calls or store.with_name("calls.sqlite"))
        stack.callback(cache.close)
        kept = stack.enter_context(Store(store))
        _refill(resume or [], cache)
        models = [] if url else stack.enter_context(cached_models(context, cache))
        names = [name.strip() for name in system.split(",")]
        entrants = [_entrant(name, url, context, asked, kept) for name in names]
        run = _Running(kept, entrants, asked, Scorers(execution_score, suite_score if suite else None))
        run.follow(models, concurrency, seconds_budget, _exporter(kept, run.runs, cache, export_to))


class _Running:
    """One start of the command, and what it prints."""

    def __init__(self, store: Store, entrants: list[Entrant], asked: Questions, scorers: Scorers) -> None:
        self.store, self.entrants, self.asked, self.scorers = store, entrants, asked, scorers
        self.runs = [entrant.run for entrant in entrants]
        self.progress = Progress(len(pending(entrants, asked.items, store)))
        indices = {item.index for item in asked.items}
        for run in self.runs:
            self.progress.count(run, (a for a in store.answers(run) if a.index in indices))

    def follow(
        self,
        models: list[CachedModel],
        concurrency: int,
        seconds: float | None,
        export_now: Callable[[], None],
    ) -> None:
        """Answer what is left, say how it goes, export now and then."""
        answers = evaluate(
            self.entrants,
            self.asked.items,
            self.store,
            self.scorers,
            models=models,
            concurrency=concurrency,
            stop=budget(seconds),
        )
        names = ", ".join(f"{run.spec.system} ({run.id})" for run in self.runs)
        console.print(
            f"{self.asked.label}: {len(self.asked.items)} questions, "
            f"{self.progress.left} answers to go; {names}"
        )
        try:
            self._show(answers, export_now)
        finally:
            export_now()
            console.print(self.progress.line(), highlight=False)

    def _show(self, answers: Iterable[tuple[Run, StoredAnswer]], export_now: Callable[[], None]) -> None:
        exported = printed = time.monotonic()
        with console.status("starting") as status:
            for run, answer in answers:
                self.progress.add(run, answer)
                status.update(self.progress.line())
                if answer.error:
                    console.print(f"{run.spec.system}, question {answer.index}: {answer.error}", markup=False)
                now = time.monotonic()
                if not console.is_terminal and now - printed > LINE_EVERY:
                    console.print(self.progress.line(), highlight=False)
                    printed = now
                if now - exported > EXPORT_EVERY:
                    export_now()
                    exported = now


def _given(
    dataset: str, limit: int | None, seed: int, model: str | None, critic: str | None, setting: list[str]
) -> tuple[Questions, Context]:
    try:
        return questions(dataset, limit, seed), context_of(model, critic, setting)
    except ValueError as error:
        fail(str(error), exit_codes.USAGE)
        raise


def _refill(exports: list[Path], cache: CallCache) -> None:
    for path in exports:
        try:
            console.print(f"{fill_cache(path, cache)} new model calls read from {path}")
        except (OSError, ValueError) as error:
            fail(f"{path} cannot be read: {error}", exit_codes.USAGE)


def _entrant(name: str, url: str | None, context: Context, asked: Questions, store: Store) -> Entrant:
    """Begin a system's run, or take it up again."""
    spec = RunSpec(
        system=f"{name}@{url}" if url else name,
        dataset=asked.dataset,
        model=context.model if url else fingerprint(context.spec("actor")),
        critic=context.spec("llm_critic") if url else fingerprint(context.spec("llm_critic")),
        prompts=prompt_digests(),
        settings=settings_of(context),
        code=code_digest(),
    )
    run = store.begin(spec, commit(), machine(), asked.label)
    return Entrant(run, remote(name, url, context) if url else local(name, context))


def _exporter(store: Store, runs: list[Run], cache: CallCache, path: Path | None) -> Callable[[], None]:
    def export_now() -> None:
        if path is not None:
            count = export(store, runs, path, cache)
            console.print(f"{count} answers exported to {path}")

    return export_now
