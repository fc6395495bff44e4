"""`critiql eval export`: the compact form of a store, to be committed."""

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from critiql.cli.evals.results import results_of
from critiql.evals.run.call_cache import CallCache
from critiql.evals.run.export import export


def eval_export(
    store: Annotated[Path, typer.Argument(help="Store, or an export to take runs out of.")],
    out: Annotated[Path, typer.Argument(help="File to write, .jsonl or .jsonl.gz.")],
    run: Annotated[
        list[str] | None, typer.Option(help="Run id, or system: its newest run; repeatable. Default: all.")
    ] = None,
    calls: Annotated[
        Path | None, typer.Option(help="SQLite file of model calls; default: calls.sqlite beside the store.")
    ] = None,
) -> None:
    """Write runs with their model calls, without the benchmark's text."""
    cache = calls or store.with_name("calls.sqlite")
    with results_of(store) as results:
        runs = [results.run(name) for name in run] if run else results.runs()
        if not cache.is_file():
            count = export(results, runs, out)
        else:
            with closing(CallCache(cache)) as known:
                count = export(results, runs, out, known)
    told = "" if cache.is_file() else f", without model calls: there is no {cache}"
    Console(stderr=True).print(f"{count} answers of {len(runs)} runs exported to {out}{told}", soft_wrap=True)
