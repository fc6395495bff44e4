"""`critiql eval detect`: how well rules, head, critic and prompt tell wrong SQL from right."""

import json
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

import critiql.cli.screen.exit_codes as codes
from critiql.agent.context import DEFAULT_MODEL, Context
from critiql.agent.detect.semantic import SemanticDetector, detector_of
from critiql.cli.evals.results import stated
from critiql.cli.screen.failures import fail, failures
from critiql.cli.train import progress
from critiql.evals.data.datasets import load
from critiql.evals.data.item import Item
from critiql.evals.data.sampling import sample
from critiql.evals.data.task import questions
from critiql.evals.detect.repair import RepairReport, repair_report
from critiql.evals.detect.report import DETECTORS, DetectionReport, Kind, kinds_of, look, report
from critiql.evals.detect.subjects import Subject, first_predictions, labelled_bugs, readings_of
from critiql.evals.run.cached_models import cached_models
from critiql.evals.run.call_cache import CallCache
from critiql.evals.run.export import open_results
from critiql.evals.run.store import Run, Store
from critiql.evals.statistics import Estimate
from critiql.tools.errors.guide.parts import PARTS
from critiql.tools.models.factory import load_model
from critiql.training.data.detector_data import labels_of
from critiql.training.data.gold import opened
from critiql.training.head.detector import plain

BUGS = "nl2sql-bugs"


def eval_detect(
    store: Annotated[str, typer.Argument(help="Store or export; or nl2sql-bugs, schema only.")],
    system: Annotated[str, typer.Option(help="Run id, or system: its newest run.")] = "single_shot",
    dataset: Annotated[str | None, typer.Option(help="Only runs on this data set.")] = None,
    detectors: Annotated[
        str, typer.Option(help="Separated by commas: rules, execution, head, both, p_true, prompt, style.")
    ] = "rules,execution,p_true,style",
    model: Annotated[str, typer.Option(help="Model of head and prompt.")] = DEFAULT_MODEL,
    head: Annotated[Path | None, typer.Option(help="The head's file; without it the shipped one.")] = None,
    threshold: Annotated[
        float, typer.Option(min=0, max=1, help="P(True) below this says wrong; fit it on train.")
    ] = 0.5,
    calls: Annotated[
        Path, typer.Option(help="SQLite file of model calls; again, it goes on from there.")
    ] = Path("calls.sqlite"),
    limit: Annotated[int | None, typer.Option(min=1, help="Draw so many questions, stratified.")] = None,
    seed: Annotated[int, typer.Option(help="Names that draw.")] = 0,
    without: Annotated[
        str,
        typer.Option(
            help="Left out for prompt: graph, links, tree, constrained, rules; separated by commas."
        ),
    ] = "",
    repair: Annotated[
        str | None, typer.Option(help="Run id or system that repairs, error_llm: its table as well.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Measure detectors on the first predictions of a run, or on NL2SQL-Bugs."""
    names = _names(detectors)
    with failures(), stated(), ExitStack() as stack:
        if store == BUGS:
            if repair:
                raise ValueError("--repair weighs two runs of a store; nl2sql-bugs has none.")
            subjects, origin, weighed = _bugs(limit, seed), {"data": BUGS}, None
        else:
            results = stack.enter_context(open_results(Path(store)))
            run = results.run(system, dataset)
            subjects, origin = _predictions(results, run, limit, seed)
            weighed = _repaired(results, run, repair, subjects) if repair else None
        if not subjects:
            raise ValueError("There is no scored first query to look at.")
        kinds = kinds_of(names)
        context = _ablated(Context(model=model), without)
        asked: list[SemanticDetector] = []
        if kinds:
            stack.enter_context(cached_models(context, _cache(calls, stack)))
            asked = [_detector(kind, context, head) for kind in kinds]
        follow = stack.enter_context(progress("queries"))
        looked = look(subjects, asked, context, follow(len(subjects)))
        origin |= {"model": model} if kinds else {}
        origin |= {"without": without} if without else {}
        _show(origin, report(looked, names, threshold), weighed, as_json=as_json)


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in DETECTORS]
    if unknown or not names:
        fail(
            f"There is no detector {', '.join(unknown) or 'named'}. Known: {', '.join(DETECTORS)}.",
            codes.USAGE,
        )
    return list(dict.fromkeys(names))


def _ablated(context: Context, without: str) -> Context:
    """The settings with some of what a model reads left out (ErrorLLM, table 3)."""
    left_out = {name.strip() for name in without.split(",")} - {""}
    if unknown := left_out - {*PARTS, "constrained", "rules"}:
        known = ", ".join((*PARTS, "constrained", "rules"))
        raise ValueError(f"--without knows {known}, not {', '.join(sorted(unknown))}.")
    changes: dict[str, Any] = {
        "detector_parts": tuple(part for part in PARTS if part not in left_out),
        "detector_constrained": "constrained" not in left_out,
        "rules": "rules" not in left_out,
    }
    return context.model_copy(update=changes)


def _detector(kind: Kind, context: Context, head: Path | None) -> SemanticDetector:
    parts, constrained = context.detector_parts, context.detector_constrained
    return detector_of(kind, load_model(context.model), str(head or ""), parts, constrained=constrained)


def _cache(calls: Path, stack: ExitStack) -> CallCache:
    cache = CallCache(calls)
    stack.callback(cache.close)
    return cache


def _bugs(limit: int | None, seed: int) -> list[Subject]:
    data = load(BUGS)
    if not data.items:
        raise ValueError(f"{BUGS} cannot be measured: {data.not_run}.")
    return labelled_bugs(sample(data.items, limit, seed))


def _predictions(
    results: Store, run: Run, limit: int | None, seed: int
) -> tuple[list[Subject], dict[str, Any]]:
    """The first queries of a run with their labels, and where they come from."""
    data = questions(run.spec.dataset).items
    judging = [other for other in results.runs() if _same_critic(other, run)]
    readings = readings_of(results.answers(other) for other in judging)
    answers = list(results.answers(run))
    answered = {answer.index for answer in answers}
    items = sample([item for item in data if item.index in answered], limit, seed)
    subjects = first_predictions(answers, {item.index: item for item in items}, readings)
    origin = {"run": run.id, "system": run.spec.system, "data": run.spec.dataset, "task": run.task}
    return _labelled(subjects, items), origin


def _same_critic(other: Run, run: Run) -> bool:
    one, two = other.spec, run.spec
    prompts = ("critic", "critic_with_rows")
    same = all(one.prompts.get(name) == two.prompts.get(name) for name in prompts)
    return (one.dataset, one.critic) == (two.dataset, two.critic) and same


def _labelled(subjects: Sequence[Subject], items: Sequence[Item]) -> list[Subject]:
    """Wrong queries with the error types that explain them."""
    by_index = {subject.index: subject for subject in subjects}
    wrong = [item for item in items if item.index in by_index and by_index[item.index].wrong]
    for gold in opened(wrong):
        subject = by_index[gold.item.index]
        types = frozenset(labels_of(gold, subject.sql) or ())
        by_index[subject.index] = replace(subject, types=types)
    return list(by_index.values())


def _repaired(results: Store, run: Run, name: str, subjects: Sequence[Subject]) -> RepairReport:
    kept = {subject.index for subject in subjects}
    other = results.run(name, run.spec.dataset)
    before, after = ([a for a in results.answers(one) if a.index in kept] for one in (run, other))
    return repair_report(before, after)


def _show(
    origin: dict[str, Any], found: DetectionReport, weighed: RepairReport | None, *, as_json: bool
) -> None:
    if as_json:
        document = {**origin, **asdict(found), "repair": asdict(weighed) if weighed else None}
        typer.echo(json.dumps(plain(document)))
        return
    console = Console(highlight=False)
    console.print(
        f"{found.n} queries, {found.wrong} wrong, labels explain {found.labelled} of these"
        + "".join(f"; {kind}: {n} not read" for kind, n in found.unread.items()),
        soft_wrap=True,
    )
    tables: list[Callable[[], Table | None]] = [
        lambda: _detection_table(found),
        lambda: _hardness_table(found),
        lambda: _types_table(found),
        lambda: _categories_table(found),
        lambda: _critics_table(found),
        lambda: _repair_table(weighed),
    ]
    for table in filter(None, (make() for make in tables)):
        console.print(table)


def _table(title: str, columns: Sequence[str]) -> Table:
    table = Table(title=title)
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number == 0 else "right", no_wrap=number == 0)
    return table


def _detection_table(found: DetectionReport) -> Table:
    columns = ("detector", "n", "D-precision", "D-recall", "D-accuracy", "D-F1", "AUC")
    table = _table("Detection, in percent with 95 % intervals", columns)
    for row in found.rows:
        scores = row.detection
        figures = (scores.precision, scores.recall, scores.accuracy, scores.f1)
        table.add_row(row.detector, str(scores.accuracy.n), *map(_percent, figures), _percent(row.auc))
    return table


def _hardness_table(found: DetectionReport) -> Table | None:
    levels = list(found.accuracy)
    if not levels:
        return None
    table = _table("By hardness: EX, and D-F1 of each detector", ("", *levels))
    table.add_row("EX", *(_percent(found.accuracy[level]) for level in levels))
    for row in found.rows:
        table.add_row(row.detector, *(_percent(row.by_difficulty.get(level)) for level in levels))
    return table


def _types_table(found: DetectionReport) -> Table | None:
    rows = [(row, row.types) for row in found.rows if row.types is not None and row.types.by_type]
    if not rows:
        return None
    table = _table("Type-specific accuracy", ("type", "n", *(row.detector for row, _ in rows)))
    for key, estimate in rows[0][1].by_type.items():
        table.add_row(key, str(estimate.n), *(_percent(types.by_type[key]) for _, types in rows))
    for name in ("any_label", "exact_set"):
        figures = [getattr(types, name) for _, types in rows]
        table.add_row(name, str(figures[0].n), *map(_percent, figures))
    return table


def _categories_table(found: DetectionReport) -> Table | None:
    categories = found.rows[0].by_category if found.rows else {}
    if not categories:
        return None
    columns = [name for row in found.rows for name in (row.detector, f"{row.detector}, named")]
    table = _table(
        "By category of NL2SQL-Bugs: wrong queries called wrong, category named", ("", "n", *columns)
    )
    for category, scores in categories.items():
        of_each = [row.by_category.get(category) for row in found.rows]
        figures = [e for each in of_each for e in ((each.flagged, each.named) if each else (None, None))]
        table.add_row(category, str(scores.flagged.n), *map(_percent, figures))
    return table


def _critics_table(found: DetectionReport) -> Table | None:
    if not found.critics:
        return None
    table = _table("Judges of correctness on the same queries", ("judge", "n", "AUC"))
    for name, estimate in found.critics.items():
        table.add_row(name, str(estimate.n), _percent(estimate))
    return table


def _repair_table(weighed: RepairReport | None) -> Table | None:
    if weighed is None:
        return None
    table = _table(f"Repair, {weighed.n} questions", ("", "value"))
    table.add_row("EX before", _percent(weighed.before))
    table.add_row("EX after", _percent(weighed.after))
    table.add_row("TP", str(weighed.true_positives))
    table.add_row("FP", str(weighed.false_positives))
    table.add_row("FR", _percent(weighed.scores.fixed_rate))
    table.add_row("CR", _percent(weighed.scores.corruption_rate))
    table.add_row("dEX", _percent(weighed.scores.execution_gain))
    for when, roles in weighed.tokens.items():
        for role, counts in roles.items():
            told = ", ".join(f"{kind} {count:g}" for kind, count in counts.items())
            table.add_row(f"tokens {when}, {role}", told)
    return table


def _percent(estimate: Estimate | None) -> str:
    if estimate is None or estimate.value != estimate.value:
        return "-"
    return f"{estimate.value:.1%} {estimate.low:.1%}–{estimate.high:.1%}".replace("%", "")
