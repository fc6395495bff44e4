"""`critiql eval run`: ask systems the questions of a data set and keep every answer."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from pydantic import ValidationError

import critiql.cli.screen.exit_codes as codes
from critiql.agent.context import Context
from critiql.agent.decide.fitted import calibration_for
from critiql.agent.graph_contexts import narrowed
from critiql.cli.completion import complete_data, complete_graph, complete_model, complete_setting
from critiql.cli.evals.follow import announced, console, follow
from critiql.cli.screen.failures import fail, failures
from critiql.evals.data.item import Metric
from critiql.evals.data.task import Questions, predicted, questions, scored_by
from critiql.evals.run.cached_models import cached_models, fingerprint
from critiql.evals.run.call_cache import CachedModel, CallCache
from critiql.evals.run.export import export, fill_cache
from critiql.evals.run.provenance import code_digest, commit, machine, prompt_digests
from critiql.evals.run.runner import Entrant, budget, evaluate
from critiql.evals.run.scoring import Scorers, scorers_for
from critiql.evals.run.store import Run, RunSpec, Store
from critiql.evals.run.systems import context_of, local, remote, settings_of
from critiql.graphs.catalogue import GRAPHS
from critiql.tools.hiding import hide_secrets_in

StoreOption = Annotated[Path, typer.Option(help="SQLite file of answers and traces.")]
CallsOption = Annotated[
    Path | None, typer.Option(help="SQLite file of model calls; default: calls.sqlite beside the store.")
]
ResumeOption = Annotated[
    list[Path] | None, typer.Option(help="Export whose model calls fill the cache first; repeatable.")
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set", help="Setting of the agent as key=value; repeatable.", autocompletion=complete_setting
    ),
]
ExportOption = Annotated[
    Path | None, typer.Option("--export", help="Export here every 20 minutes and at the end.")
]
BudgetOption = Annotated[float | None, typer.Option(help="Stop after so many seconds; start again to go on.")]


def eval_run(
    dataset: Annotated[
        str,
        typer.Argument(
            help="Task, data set, or a .csv or .jsonl file of your own.", autocompletion=complete_data
        ),
    ],
    system: Annotated[
        str, typer.Option(help="Graphs, separated by commas.", autocompletion=complete_graph)
    ] = "single_shot",
    model: Annotated[
        str | None, typer.Option(help="Model of every role.", autocompletion=complete_model)
    ] = None,
    critic_model: Annotated[str | None, typer.Option(help="Model of the LLM critic, if another.")] = None,
    limit: Annotated[int | None, typer.Option(help="Draw so many questions, stratified.", min=1)] = None,
    seed: Annotated[int, typer.Option(help="Names the draw of the questions.")] = 0,
    store: StoreOption = Path("eval.sqlite"),
    calls: CallsOption = None,
    setting: SetOption = None,
    predictions: Annotated[
        Path | None, typer.Option(help="Another system's queries, which are the first candidates.")
    ] = None,
    suite: Annotated[bool, typer.Option("--suite", help="Score test-suite accuracy as well.")] = False,
    metric: Annotated[
        Metric | None, typer.Option(help="Whose scores, if not those of the data set's authors.")
    ] = None,
    repeats: Annotated[int, typer.Option(help="Timed runs for BIRD's R-VES (officially 100).", min=0)] = 0,
    resume: ResumeOption = None,
    export_to: ExportOption = None,
    seconds_budget: BudgetOption = None,
    url: Annotated[str | None, typer.Option(help="LangGraph server whose graphs are asked.")] = None,
    concurrency: Annotated[int, typer.Option(help="Questions in flight at a server.", min=1)] = 1,
) -> None:
    """Ask systems the questions of a data set; the same command again goes on after a stop."""
    if concurrency > 1 and url is None:
        refuse("--concurrency needs --url: a model in this process answers one call at a time.")
    with failures(), Desk.open(store, calls, resume or []) as desk:
        asked = asked_of(dataset, limit, seed, predictions)
        asked = scored_by(asked, metric) if metric else asked
        scorers = scorers_of(asked, suite=suite, repeats=repeats)
        context = settings_from(model, critic_model, setting or [])
        with desk.models(context, url) as models:
            names = [name.strip() for name in system.split(",")]
            entrants = [desk.entrant(name, context, asked, url) for name in names]
            answers = evaluate(
                entrants,
                asked.items,
                desk.store,
                scorers,
                models=models,
                concurrency=concurrency,
                stop=budget(seconds_budget),
            )
            progress = announced(entrants, asked, desk.store)
            follow(answers, progress, desk.exporter([e.run for e in entrants], export_to))


@dataclass(frozen=True)
class Desk:
    """The files of an evaluation: answers and model calls."""

    store: Store
    cache: CallCache

    @classmethod
    @contextmanager
    def open(cls, store: Path, calls: Path | None, exports: Iterable[Path] = ()) -> "Iterator[Desk]":
        """Open both, and fill the calls from exports."""
        cache = CallCache(calls or store.with_name("calls.sqlite"))
        try:
            with Store(store) as kept:
                _refill(exports, cache)
                yield cls(kept, cache)
        finally:
            cache.close()

    @contextmanager
    def models(self, context: Context, url: str | None = None) -> Iterator[list[CachedModel]]:
        """The models of this process behind the cache; none when a server is asked."""
        if url:
            yield []
        else:
            with cached_models(context, self.cache) as models:
                yield models

    def entrant(self, name: str, context: Context, asked: Questions, url: str | None = None) -> Entrant:
        """Begin a system's run, or take it up again."""
        context = narrowed(name, context) if name in GRAPHS else context
        spec = RunSpec(
            system=f"{name}@{url}" if url else name,
            dataset=asked.dataset,
            model=context.model if url else fingerprint(context.spec("actor")),
            critic=context.spec("llm_critic") if url else fingerprint(context.spec("llm_critic")),
            prompts=prompt_digests(),
            settings=settings_of(context) | _given(asked) | ({} if url else _fitted(context)),
            code=code_digest(),
        )
        spec = RunSpec(**hide_secrets_in(asdict(spec)))
        run = self.store.begin(spec, commit(), machine(), asked.label)
        return Entrant(run, remote(name, url, context) if url else local(name, context))

    def exporter(self, runs: list[Run], path: Path | None) -> Callable[[], None]:
        """What exports those runs, or does nothing without a path."""

        def export_now() -> None:
            if path is not None:
                console.print(f"{export(self.store, runs, path, self.cache)} answers exported to {path}")

        return export_now


def _given(asked: Questions) -> dict[str, str]:
    """Whose queries come first and who scores, where it is not as usual: then it is another run."""
    named = {"predictions": asked.predictions, "metric": asked.other_metric or ""}
    return {name: value for name, value in named.items() if value}


def _fitted(context: Context) -> dict[str, str]:
    """The fitted files that decide."""
    files = {name: _digest_of(name, getattr(context, name)) for name in ("repairs", "guidelines")}
    return _calibration(context) | _head(context) | {name: told for name, told in files.items() if told}


def _calibration(context: Context) -> dict[str, str]:
    """Which calibration the critic goes by: with another one it is another run."""
    found = calibration_for(context)
    return {"calibration": sha256(found.model_dump_json().encode()).hexdigest()[:12]} if found else {}


def _head(context: Context) -> dict[str, str]:
    """Which head file the error detector was told to read: with another one it is another run."""
    if context.semantic_detector not in ("head", "auto") or not context.detector_head:
        return {}
    head = Path(context.detector_head)
    if not head.is_file():
        refuse(f"There is no head {head}. Check detector_head.")
    return {"detector_head": f"{head.name} {sha256(head.read_bytes()).hexdigest()[:12]}"}


def _digest_of(setting: str, named: str) -> str:
    """Name and digest of a file that a model is shown: with another one it is another run."""
    if not named:
        return ""
    file = Path(named).expanduser()
    if not file.is_file():
        refuse(f"There is no file {file}. Check {setting}.")
    return f"{file.name} {sha256(file.read_bytes()).hexdigest()[:12]}"


def asked_of(dataset: str, limit: int | None, seed: int, predictions: Path | None = None) -> Questions:
    """The questions, with another system's queries where they are given, or a refusal that says why not."""
    try:
        asked = questions(dataset, limit, seed)
        return asked if predictions is None else predicted(asked, predictions)
    except ValueError as error:
        refuse(str(error))


def scorers_of(asked: Questions, *, suite: bool, repeats: int) -> Scorers:
    """How the answers are scored, or a refusal that says why not so."""
    try:
        return scorers_for(asked.metric, suite=suite, repeats=repeats)
    except ValueError as error:
        refuse(str(error))


def settings_from(model: str | None, critic: str | None, setting: list[str]) -> Context:
    """The settings, or a refusal that says which is wrong."""
    try:
        return context_of(model, critic, setting)
    except ValidationError:
        raise  # failures() names the setting
    except ValueError as error:
        refuse(str(error))


def refuse(message: str) -> NoReturn:
    """Leave with a sentence and the code for wrong use."""
    fail(message, codes.USAGE)
    raise typer.Exit(codes.USAGE)


def _refill(exports: Iterable[Path], cache: CallCache) -> None:
    for path in exports:
        try:
            console.print(f"{fill_cache(path, cache)} new model calls read from {path}")
        except (OSError, ValueError) as error:
            refuse(f"{path} cannot be read: {error}")
