"""`critiql calibrate`: measure a critic on labelled questions, and fit what it may decide."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from critiql import prompts
from critiql.agent.context import Context
from critiql.agent.decide.calibration import Calibration, Confidence, Interval, user_folder, write_calibration
from critiql.agent.decide.fitted import prompt_name
from critiql.cli.screen.extras import extra
from critiql.cli.screen.failures import failures

with extra("evals"):
    from critiql.cli.evals.follow import announced, follow
    from critiql.cli.evals.run import (
        BudgetOption,
        CallsOption,
        Desk,
        ExportOption,
        ResumeOption,
        SetOption,
        StoreOption,
        asked_of,
        refuse,
        settings_from,
    )
    from critiql.evals.data.task import Questions
    from critiql.evals.fit.confidence import fit_confidence
    from critiql.evals.fit.critic import Fit, fit
    from critiql.evals.fit.displacement import DisplacementFit, fit_displacement, pools_of
    from critiql.evals.fit.draws import draws_of
    from critiql.evals.run.provenance import commit
    from critiql.evals.run.runner import budget, evaluate
    from critiql.evals.run.scoring import scorers_for
    from critiql.evals.run.store import Run, Store

NEVER_ACCEPT = ("llm_critic=raw", "critic_threshold=1.0")
"""Settings under which every draw is judged and none accepted."""

CHOOSING = "text_to_sql"
"""The graph whose candidates fit the displacement score."""


def calibrate(
    dataset: Annotated[str, typer.Argument(help="Task or data set.")] = "spider-train-fit",
    model: Annotated[str | None, typer.Option(help="Model that writes.")] = None,
    critic_model: Annotated[str | None, typer.Option(help="Model that judges, if another.")] = None,
    z: Annotated[int, typer.Option(min=2, max=10, help="Draws a question.")] = 5,
    limit: Annotated[int | None, typer.Option(help="Draw so many questions, stratified.", min=1)] = None,
    seed: Annotated[int, typer.Option(help="Names the draw of the questions.")] = 0,
    store: StoreOption = Path("calibration.sqlite"),
    calls: CallsOption = None,
    setting: SetOption = None,
    out: Annotated[Path | None, typer.Option(help="Calibration file; default: your own folder.")] = None,
    system: Annotated[
        str, typer.Option(help="Graphs; draws of the first one fit the threshold, text_to_sql's the margin.")
    ] = "ac_sql,text_to_sql",
    stored: Annotated[
        bool, typer.Option("--stored", help="Ask nothing: fit on the newest such runs in the store.")
    ] = False,
    resume: ResumeOption = None,
    export_to: ExportOption = None,
    seconds_budget: BudgetOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="The whole fit as one JSON object.")] = False,
) -> None:
    """Measure a critic on labelled questions; fit its threshold and the margin of the incumbent rule."""
    with failures(), Desk.open(store, calls, resume or []) as desk:
        asked = asked_of(dataset, limit, seed)
        context = settings_from(model, critic_model, [*(setting or []), *NEVER_ACCEPT, f"z={z}"])
        names = [name.strip() for name in system.split(",")]
        if stored:
            runs = [_newest(desk.store, name, asked.dataset) for name in names]
        else:
            runs = _ask(desk, names, context, asked, seconds_budget, export_to)
        found, chosen, confidence = _fits(desk.store, runs, asked, z)
        calibration = _calibration(runs[0], context, asked, found, chosen)
        calibration = calibration.model_copy(update={"confidence": confidence})
    path = out or user_folder() / f"{calibration.model}-{calibration.prompt}.json"
    write_calibration(calibration, path)
    _report(found, chosen, confidence, path, as_json=as_json)


def _ask(
    desk: Desk,
    names: list[str],
    context: Context,
    asked: Questions,
    seconds: float | None,
    export_to: Path | None,
) -> list[Run]:
    """Let the graphs draw and judge, accepting nothing."""
    with desk.models(context) as models:
        entrants = [desk.entrant(name, context, asked) for name in names]
        scorers, stop = scorers_for(asked.metric), budget(seconds)
        answers = evaluate(entrants, asked.items, desk.store, scorers, models=models, stop=stop)
        runs = [entrant.run for entrant in entrants]
        follow(answers, announced(entrants, asked, desk.store), desk.exporter(runs, export_to))
    return runs


def _newest(store: Store, name: str, dataset: str) -> Run:
    """The newest run of a system that accepted nothing."""
    fitting = [
        run
        for run in store.runs()
        if (run.spec.system, run.spec.dataset) == (name, dataset)
        and run.spec.settings.get("critic_threshold") == 1.0
    ]
    if not fitting:
        refuse(f"The store has no run of {name} on {dataset} with critic_threshold=1.0.")
    return fitting[-1]


def _fits(
    store: Store, runs: list[Run], asked: Questions, z: int
) -> tuple[Fit, DisplacementFit | None, Confidence | None]:
    """Threshold, displacement score and confidence; the last two need candidates of the flagship."""
    indices = {item.index for item in asked.items}
    answers = {run.spec.system: [a for a in store.answers(run) if a.index in indices] for run in runs}
    try:
        found = fit(draws_of(answers[runs[0].spec.system], z), z)
        if CHOOSING not in answers:
            return found, None, None
        pools = pools_of(answers[CHOOSING])
        chosen = fit_displacement(pools)
        confidence = fit_confidence(pools, chosen.fitted)
        told = {"prompt": prompts.load("actor").digest}
        return found, chosen, confidence and confidence.model_copy(update=told)
    except ValueError as error:
        refuse(str(error))


def _calibration(
    run: Run, context: Context, asked: Questions, found: Fit, chosen: DisplacementFit | None
) -> Calibration:
    return Calibration(
        model=run.spec.critic,
        model_name=Path(context.spec("llm_critic")).name,
        actor=run.spec.model,
        prompt=prompts.load(prompt_name(context)).digest,
        settings=run.id,
        dataset=asked.label,
        n=found.n,
        databases=found.databases,
        commit=commit(),
        enabled=found.enabled,
        threshold=found.threshold,
        q=found.q,
        s=found.s,
        q_plus_s=found.q_plus_s,
        auc=found.auc,
        accuracy_without=found.accuracy_without,
        accuracy_with=found.accuracy_with,
        displacement=chosen.fitted if chosen else None,
    )


def _report(
    found: Fit,
    chosen: DisplacementFit | None,
    confidence: Confidence | None,
    path: Path,
    *,
    as_json: bool,
) -> None:
    if as_json:
        document = {
            "file": str(path),
            "fit": asdict(found),
            "displacement": chosen and asdict(chosen),
            "confidence": confidence,
        }
        typer.echo(json.dumps(document, default=lambda record: record.model_dump()))
        return
    console = Console(highlight=False)
    console.print(_figures(found))
    console.print(_rounds(found))
    for line in [*_sentences(found, chosen), *_calibrated(confidence)]:
        console.print(line, soft_wrap=True)
    console.print(f"Written to {path}", soft_wrap=True)


def _figures(found: Fit) -> Table:
    title = f"{found.n} questions of {found.databases} databases, threshold {found.threshold:.3f}"
    table = Table("", "value", "95 % interval", "n", title=title)
    rows: dict[str, Interval] = {
        "q: accepts a wrong query that runs": found.q,
        "s: rejects a right query that runs": found.s,
        "q + s": found.q_plus_s,
        "AUC of P(True)": found.auc,
        "EX of the first draw": found.accuracy_first,
        f"EX of z = {found.z}, execution critic only": found.accuracy_without,
        f"EX of z = {found.z}, both critics, held out": found.accuracy_with,
    }
    for name, figure in rows.items():
        table.add_row(name, f"{figure.value:.3f}", f"{figure.low:.3f} to {figure.high:.3f}", str(figure.n))
    return table


def _rounds(found: Fit) -> Table:
    columns = ("round", "p", "q", "s", "left", "p of these", "P_z", "EX", "repeats")
    title = "Per round, both critics: P_z is Theorem 1's, EX is measured, left reached the round"
    table = Table(*columns, title=title)
    for row in found.rounds:
        shares = (row.p_waiting, row.predicted, row.measured, row.repeated)
        cells = [f"{value:.3f}" for value in (row.p, row.q, row.s)]
        table.add_row(str(row.round), *cells, str(row.waiting), *(f"{value:.3f}" for value in shares))
    return table


def _sentences(found: Fit, chosen: DisplacementFit | None) -> list[str]:
    last = found.rounds[-1]
    lines = [
        f"The critic is {'on' if found.enabled else 'off'}: q + s is at most {found.q_plus_s.high:.3f}"
        f"{'' if found.threshold else ', and no threshold gives a better EX than rejecting nothing'}.",
        f"P_{found.z} is {last.predicted - last.measured:+.3f} off what was measured. "
        "Draws are not independent: a retry is right on "
        f"{found.retry_right_after_wrong:.1%} of the questions whose greedy query is wrong and on "
        f"{found.retry_right_after_right:.1%} of the others.",
    ]
    if found.left_out:
        lines.append(f"{found.left_out} answers had fewer than {found.z} scored draws and are left out.")
    if chosen is None:
        return lines
    lines.append(f"First candidate right {chosen.first:.1%}, any candidate right {chosen.any_right:.1%}.")
    for name, result in (("fitted rule, held out", chosen.held_out), ("unfitted rule", chosen.unfitted)):
        if result is None:
            lines.append("Too few discordant pairs to fit the displacement score.")
        else:
            lines.append(
                f"{name}: {result.difference.value:+.2%}, fixed {result.fixed}, broken {result.broken}."
            )
    return lines


def _calibrated(confidence: Confidence | None) -> list[str]:
    if confidence is None:
        return ["No confidence was fitted: too few answers, or no better than their share of right ones."]
    signal = {"p_true": "P(True)", "logprob": "the actor's log-probability"}[confidence.signal]
    return [
        f"Confidence by {signal}: Brier score {confidence.brier:.3f} on held-out databases, "
        f"{confidence.brier_constant:.3f} for a constant, n = {confidence.n}."
    ]
