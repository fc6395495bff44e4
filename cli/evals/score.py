"""`critiql eval score`: score predictions in the official file formats of Spider and BIRD."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from critiql.cli.screen import exit_codes
from critiql.evals.data.bird_files import bird_judgements, read_bird_pairs, read_difficulties
from critiql.evals.data.official_files import ScoreError, Scores, databases_of, judgements, read_pairs, scores
from critiql.evals.metrics.bird_summary import BirdRow, bird_rows
from critiql.evals.metrics.execution_accuracy import Rules
from critiql.evals.report.table import percent
from critiql.evals.statistics import Estimate

complain = Console(stderr=True)

T = TypeVar("T")


def eval_score(
    gold: Annotated[Path, typer.Option(help="Gold file: SQL, a tab, the database id, a line each.")],
    pred: Annotated[
        Path, typer.Option(help="Predictions: one SQL a line, an empty line for none; or BIRD's .json.")
    ],
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
    bird: Annotated[bool, typer.Option("--bird", help="BIRD's EX, R-VES and Soft-F1.")] = False,
    questions: Annotated[
        Path | None, typer.Option(help="With --bird: the questions' file, for the difficulties.")
    ] = None,
    repeats: Annotated[
        int, typer.Option(min=0, help="With --bird: timed runs for R-VES, officially 100; 0 leaves it out.")
    ] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Score predictions by execution: overall, by hardness or difficulty, with standard errors."""
    rules = Rules(compat, keep_distinct, plug_value, seconds=seconds)
    try:
        if bird:
            _check_alone(suite=suite, rules=rules)
            found = _bird(gold, pred, db, questions, seconds, repeats)
            payload, table = _bird_payload(found), _bird_table(found)
        else:
            judged = _spider(gold, pred, db, rules, suite=suite)
            payload, table = _payload(judged, rules, suite=suite), _table(judged, suite=suite)
    except ScoreError as error:
        complain.print(str(error), style="red", markup=False, highlight=False)
        raise typer.Exit(exit_codes.USAGE) from error
    if as_json:
        typer.echo(json.dumps(payload, ensure_ascii=False))
    else:
        Console().print(table)


def _check_alone(*, suite: bool, rules: Rules) -> None:
    if suite or rules.compat or rules.keep_distinct or rules.plug_value:
        raise ScoreError(
            "--suite, --compat, --keep-distinct and --plug-value are Spider's. With --bird leave them away."
        )


def _spider(gold: Path, pred: Path, db: Path, rules: Rules, *, suite: bool) -> Scores:
    pairs = read_pairs(gold, pred)
    judged = judgements(pairs, databases_of(pairs, db, whole_suite=suite), rules)
    return scores(_followed(judged, len(pairs)))


def _bird(
    gold: Path, pred: Path, db: Path, questions: Path | None, seconds: float, repeats: int
) -> list[BirdRow]:
    pairs = read_bird_pairs(gold, pred)
    databases_of(pairs, db, whole_suite=False)
    difficulties = read_difficulties(questions, pairs) if questions else [None] * len(pairs)
    judged = bird_judgements(pairs, difficulties, db, seconds=seconds, repeats=repeats)
    return bird_rows(_followed(judged, len(pairs)))


def _followed(judged: Iterable[T], n: int) -> list[T]:
    """All of them, with a bar on the terminal while they come."""
    return list(track(judged, "judging", n, console=complain, transient=True))


def _bird_payload(rows: list[BirdRow]) -> dict[str, Any]:
    return {
        "metric": "bird",
        "groups": {
            row.group: {
                "EX": _numbers(row.execution),
                "R-VES": _numbers(row.reward) if row.reward else None,
                "Soft-F1": _numbers(row.soft_f1),
            }
            for row in rows
        },
    }


def _bird_table(rows: list[BirdRow]) -> Table:
    table = Table("difficulty", "n", "EX", "R-VES", "Soft-F1", title="BIRD's scores, %")
    for row in rows:
        shown = (row.execution, row.reward, row.soft_f1)
        table.add_row(row.group, str(row.execution.n), *(percent(e) if e else "not run" for e in shown))
    return table


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


def _table(found: Scores, *, suite: bool) -> Table:
    metric = "test suite" if suite else "execution"
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
