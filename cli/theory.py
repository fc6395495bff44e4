"""critiql theory: P_z for given error rates, and plots of it."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from critiql.evals.fit.theory import Rates, accuracy, limit


def theory(
    p: Annotated[float, typer.Option(min=0, max=1, help="P(the actor's query is right).")] = 0.25,
    q: Annotated[float, typer.Option(min=0, max=1, help="P(the critic accepts | wrong).")] = 0.25,
    s: Annotated[float, typer.Option(min=0, max=1, help="P(the critic rejects | right).")] = 0.25,
    z: Annotated[int, typer.Option(min=1, max=100, help="Generations at most.")] = 5,
    plot: Annotated[Path | None, typer.Option(help="Write the paper's figures 2 to 4 to this file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """What an actor and critics of known error rates reach in z rounds (AC-SQL, Theorem 1)."""
    rates = Rates(p, q, s)
    reached = [accuracy(rates, rounds) for rounds in range(1, z + 1)]
    if plot is not None:
        from critiql.evals.fit.theory_plot import draw

        draw(rates, z, plot)
    if as_json:
        typer.echo(
            json.dumps({"p": p, "q": q, "s": s, "p_z": reached, "limit": limit(rates), "gains": rates.gains})
        )
        return
    _print(rates, reached)


def _print(rates: Rates, reached: list[float]) -> None:
    """P_z as a table, and whether a loop pays at all."""
    table = Table("z", "P_z", title=f"p = {rates.p:g}, q = {rates.q:g}, s = {rates.s:g}")
    for rounds, value in enumerate(reached, 1):
        table.add_row(str(rounds), f"{value:.5f}")
    table.add_row("without bound", f"{limit(rates):.5f}")
    console = Console()
    console.print(table)
    relation = "<" if rates.q + rates.s < 1 else ">" if rates.q + rates.s > 1 else "="
    outcome = {"<": "more rounds help", ">": "every round makes it worse", "=": "rounds change nothing"}[
        relation
    ]
    console.print(f"q + s = {rates.q + rates.s:g} {relation} 1: {outcome}.")
