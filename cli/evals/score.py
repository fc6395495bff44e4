"""`critiql eval score`: score predictions in the official file format of Spider."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from critiql.cli.screen import exit_codes
from critiql.evals.data.official_files import ScoreError, Scores, databases_of, judgements, read_pairs, scores
from critiql.evals.metrics.execution_accuracy import Rules
from critiql.evals.statistics import Estimate


def eval_score(
    gold: Annotated[Path, typer.Option(help="Gold file: SQL, a tab, the database id, a line each.")],
    pred: Annotated[Path, typer.Option(help="Predictions: one SQL a line, an empty line for none.")],
    db: Annotated[Path, typer.Option(help="Folder with DB_ID/DB_ID.sqlite.")],
    suite: Annotated[bool, typer.Option(help="All *.sqlite of each folder must agree.")] = False,
    compat: Annotated[
        bool, typer.Option(help="The verdicts of test-suite-sql-eval, quirks included.")
    ] = False,
    keep_distinct: Annotated[bool, typer.Option(help="Do not drop DISTINCT from both queries.")] = False,
    plug_value: Annotated[bool, typer.Option(help="Also try the gold's values in the prediction.")] = False,
    seconds: Annotated[
        float, typer.Option(min=0.1, help="Time for one query; --compat has no limit.")
    ] = 30.0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Score predictions by execution: overall, by hardness, with standard errors."""
    complain = Console(stderr=True)
    rules = Rules(compat, keep_distinct, plug_value, seconds)
    try:
        pairs = read_pairs(gold, pred)
        judged = judgements(pairs, databases_of(pairs, db, whole_suite=suite), rules)
        found = scores(list(track(judged, "judging", len(pairs), console=complain, transient=True)))
    except ScoreError as error:
        complain.print(str(error), style="red", markup=False, highlight=False)
        raise typer.Exit(exit_codes.USAGE) from error
    if as_json:
        typer.echo(json.dumps(_payload(found, rules, suite=suite), ensure_ascii=False))
    else:
        Console().print(_table(found, "test suite" if suite else "execution"))


def _payload(found: Scores, rules: Rules, *, suite: bool) -> dict[str, Any]:
    verdicts = [
        {"index": j.index, "db_id": j.db_id, "hardness": j.hardness, **asdict(j.verdict)}
        for j in found.judgements
    ]
    return {
        "metric": "test_suite_accuracy" if suite else "execution_accuracy",
        "rules": asdict(rules),
        "overall": _numbers(found.overall),
        "by_hardness": {level: _numbers(share) for level, share in found.by_hardness.items()},
        "gold_errors": found.gold_errors,
        "verdicts": verdicts,
    }


def _numbers(share: Estimate) -> dict[str, float | int | None]:
    if share.n == 0:
        return {"accuracy": None, "n": 0, "standard_error": None, "low": None, "high": None}
    known = {
        "accuracy": share.value,
        "standard_error": share.standard_error,
        "low": share.low,
        "high": share.high,
    }
    return {"n": share.n, **{name: round(value, 6) for name, value in known.items()}}


def _table(found: Scores, metric: str) -> Table:
    table = Table(
        "hardness", "n", "accuracy", "standard error", "95 % interval", title=f"{metric} accuracy, %"
    )
    for level, share in (*found.by_hardness.items(), ("all", found.overall)):
        interval = f"{100 * share.low:.1f} to {100 * share.high:.1f}"
        table.add_row(
            level, str(share.n), f"{100 * share.value:.1f}", f"{100 * share.standard_error:.1f}", interval
        )
    if found.gold_errors:
        table.caption = f"{found.gold_errors} gold queries fail; their pairs count as wrong"
    return table
