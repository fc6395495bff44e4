"""critiql theory: P_z for given error rates; simulated; drawn; and held against loops that ran."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from critiql.cli.evals.results import results_of, stated
from critiql.evals.fit.theory import TABLE_6, Rates, accuracy, limit, redraw_right, simulate

if TYPE_CHECKING:
    from critiql.evals.fit.dependence import Dependence
    from critiql.evals.report.loop_rates import Prediction
    from critiql.evals.run.store import Store

RUNS = 1_000_000
"""Simulated loops a setting, as in the paper's appendix D."""


def theory(
    p: Annotated[float, typer.Option(min=0, max=1, help="P(the actor's query is right).")] = 0.25,
    q: Annotated[float, typer.Option(min=0, max=1, help="P(the critic accepts | wrong).")] = 0.25,
    s: Annotated[float, typer.Option(min=0, max=1, help="P(the critic rejects | right).")] = 0.25,
    z: Annotated[int, typer.Option(min=1, max=100, help="Generations at most.")] = 5,
    dependence: Annotated[
        float, typer.Option(min=0, max=1, help="How far a redraw repeats the draw before; 0: Theorem 1.")
    ] = 0.0,
    simulated: Annotated[
        bool,
        typer.Option("--simulate", help="Simulate the eight settings of the paper's table 6, and these."),
    ] = False,
    runs: Annotated[int, typer.Option(min=1000, help="Simulated loops a setting.")] = RUNS,
    fit: Annotated[
        Path | None, typer.Option(help="Store or export whose redraws the dependence is fitted on.")
    ] = None,
    measured: Annotated[
        list[Path] | None, typer.Option(help="Store or export whose ac_sql runs are predicted; repeatable.")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(help="Draw P_z, and the gain over q and s, to this file.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """What an actor and critics of known error rates reach in z rounds (AC-SQL, Theorem 1)."""
    rates = Rates(p, q, s)
    fitted = _fitted(fit) if fit else None
    dependence = fitted.value.value if fitted else dependence
    predictions = list(_predictions(measured or [], dependence))
    if plot is not None:
        from critiql.evals.fit.theory_plot import draw

        draw(rates, z, plot, dependence, [(found.rates.q, found.rates.s) for _, found in predictions])
    if as_json:
        typer.echo(json.dumps(_document(rates, z, dependence, fitted, predictions)))
        return
    if fitted:
        _print_fit(fitted)
    if predictions:
        _print_predictions(predictions)
    elif simulated:
        _print_simulated(rates, z, runs, dependence)
    elif not fitted:
        _print(rates, [accuracy(rates, rounds, dependence) for rounds in range(1, z + 1)], dependence)


def _fitted(file: Path) -> "Dependence":
    """Fitted on all runs of the file together."""
    from critiql.evals.fit.dependence import fit_dependence

    with results_of(file) as store, stated():
        return fit_dependence([answer for run in store.runs() for answer in store.answers(run)])


def _predictions(files: list[Path], dependence: float) -> "Iterator[tuple[str, Prediction]]":
    """Each ac_sql run of the files with its label; a run that stands in two files counts once."""
    seen: set[str] = set()
    with ExitStack() as stack:
        for file in files:
            store = stack.enter_context(results_of(file))
            yield from _predicted(store, dependence, seen)


def _predicted(store: "Store", dependence: float, seen: set[str]) -> "Iterator[tuple[str, Prediction]]":
    from critiql.evals.report.loop_rates import loop_rates, predict
    from critiql.evals.report.rows import Entry

    for run in store.runs():
        entry = Entry(run, list(store.answers(run)))
        loop = loop_rates(entry) if run.id not in seen else None
        seen.add(run.id)
        if loop is not None:
            yield f"{entry.label} ({run.task}, {run.id})", predict(loop, dependence)


def _document(
    rates: Rates,
    z: int,
    dependence: float,
    fitted: "Dependence | None",
    predictions: "list[tuple[str, Prediction]]",
) -> dict[str, object]:
    from dataclasses import asdict

    reached = [accuracy(rates, rounds, dependence) for rounds in range(1, z + 1)]
    document: dict[str, object] = {**rates._asdict(), "dependence": dependence, "p_z": reached}
    document |= {"limit": limit(rates, dependence), "gains": rates.gains}
    if fitted:
        document["fit"] = asdict(fitted)
    if predictions:
        document["runs"] = [
            {"run": label, **asdict(found), "errors": found.errors, "sign_holds": found.sign_holds}
            for label, found in predictions
        ]
    return document


def _print_fit(fitted: "Dependence") -> None:
    """The fitted dependence and what it rests on."""
    table = Table("", "value", "95 % interval", "n", title="Dependence of redraws")
    rows = {
        "p, a draw is right": fitted.p,
        "w, right after a wrong draw": fitted.after_wrong,
        "right after a right draw": fitted.after_right,
        "d = 1 - w / p": fitted.value,
    }
    for name, found in rows.items():
        table.add_row(name, f"{found.value:.3f}", f"{found.low:.3f} to {found.high:.3f}", str(found.n))
    Console().print(table)


def _print_predictions(predictions: "list[tuple[str, Prediction]]") -> None:
    """Per run the rates, both predictions, the measure, both relative errors and the sign."""
    head = ("run", "n", "p", "q", "s", "q + s", "Theorem 1", "dependent", "measured", "errors, %", "sign")
    table = Table(*head, title="P_z in percent: predicted and measured")
    for label, found in predictions:
        signs = {True: "holds", False: "does not", None: "no change"}
        first, second = found.errors
        table.add_row(
            label,
            str(found.n),
            *(f"{rate:.3f}" for rate in found.rates),
            f"{found.rates.q + found.rates.s:.3f}",
            *(f"{100 * value:.1f}" for value in (found.independent, found.dependent, found.measured.value)),
            f"{100 * first:.1f}, {100 * second:.1f}",
            signs[found.sign_holds],
        )
    console = Console()
    console.print(table, soft_wrap=True)
    errors = [found.errors for _, found in predictions]
    means = [100 * sum(pair[i] for pair in errors) / len(errors) for i in (0, 1)]
    console.print(f"Mean relative error: {means[0]:.1f} % of Theorem 1, {means[1]:.1f} % with dependence.")


def _print_simulated(rates: Rates, z: int, runs: int, dependence: float) -> None:
    """Theory beside simulation for the paper's settings and the given one."""
    table = Table("p, q, s", *(f"z = {rounds}" for rounds in range(1, z + 1)), title=f"{runs:,} loops a cell")
    widest = 0.0
    for setting in dict.fromkeys((*TABLE_6, rates)):
        cells = []
        for rounds in range(1, z + 1):
            theory, found = (
                accuracy(setting, rounds, dependence),
                simulate(setting, rounds, runs, 0, dependence),
            )
            widest = max(widest, abs(theory - found))
            cells.append(f"{theory:.5f} {found:.5f}")
        table.add_row(", ".join(f"{rate:g}" for rate in setting), *cells)
    console = Console()
    console.print(table, soft_wrap=True)
    console.print(f"Theory first, simulation second; the largest difference is {widest:.5f}.")


def _print(rates: Rates, reached: list[float], dependence: float) -> None:
    """P_z as a table, and whether a loop pays at all."""
    table = Table("z", "P_z", title=f"p = {rates.p:g}, q = {rates.q:g}, s = {rates.s:g}")
    for rounds, value in enumerate(reached, 1):
        table.add_row(str(rounds), f"{value:.5f}")
    table.add_row("without bound", f"{limit(rates, dependence):.5f}")
    console = Console()
    console.print(table)
    relation = "<" if rates.q + rates.s < 1 else ">" if rates.q + rates.s > 1 else "="
    outcome = {"<": "more rounds help", ">": "every round makes it worse", "=": "rounds change nothing"}[
        relation
    ]
    console.print(f"q + s = {rates.q + rates.s:g} {relation} 1: {outcome}.")
    if dependence:
        after_wrong, _ = redraw_right(rates.p, dependence)
        console.print(f"A redraw after a wrong query is right with {after_wrong:.3f}, not {rates.p:g}.")
