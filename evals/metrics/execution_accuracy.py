"""Execution accuracy as test-suite-sql-eval defines it (Zhong et al. 2020), and without its faults.

`compat` gives the official verdict of a pair on intact databases. Clean mode differs where the official
script is wrong or unsafe: deadlines work, only reads run, an empty prediction is wrong, two statements are
wrong, 1 equals 1.0 in every column, identifiers that contain `value` stay as they are, and row order counts
when the outermost query of the gold sorts.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, islice
from pathlib import Path
from typing import Literal

import sqlglot
from sqlglot.errors import SqlglotError
from sqlparse.exceptions import SQLParseError

from critiql.evals.metrics.equality import same_table
from critiql.evals.metrics.execution import Cells, Fetched, GoldResults, run_clean, run_compat
from critiql.evals.metrics.query_text import NoStatementError, join_operators, plugged, without_distinct
from critiql.tools.database.result import Failure

Reason = Literal["equal", "different", "error", "timeout", "denied", "empty", "gold_error"]

_PLUGGED_AT_MOST = 10_000
"""Value combinations tried in clean mode; the official script tries all of them."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How a pair is judged."""

    compat: bool = False
    """The official verdict, quirks included."""
    keep_distinct: bool = False
    """Compare the queries with their DISTINCTs; by default both lose them."""
    plug_value: bool = False
    """Also try the prediction with the values of the gold, for models that predict none."""
    decimals: int | None = None
    """Numbers compare after rounding to so many decimals, since a person would not tell them apart."""
    seconds: float | None = 30.0
    """Time for one query in clean mode. The official limit does not work, so compat has none."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a pair, and why."""

    correct: bool
    reason: Reason
    """`gold_error` means that the pair could not be judged; the official script ends there."""
    detail: str = ""
    """Sentence of the engine, where there is one."""


CLEAN = Rules()
COMPAT = Rules(compat=True)
EVERYDAY = Rules(keep_distinct=True, decimals=2)
_GOLD = GoldResults()


def execution_accuracy(gold: str, prediction: str, database: Path, rules: Rules = CLEAN) -> Verdict:
    """Judge a pair on one database."""
    return judge(gold, prediction, (database,), rules)


def judge(gold: str, prediction: str, databases: Sequence[Path], rules: Rules = CLEAN) -> Verdict:
    """Judge a pair: the prediction must give the result of the gold on all databases.

    Args:
        gold: the reference.
        prediction: the candidate; hostile input.
        databases: SQLite files, all of one schema.
        rules: how to judge.

    Raises:
        FileNotFoundError: a database is missing.
        ValueError: there are no databases.
    """
    if not databases:
        raise ValueError("There is no database to judge on.")
    if not gold.strip():
        return Verdict(False, "gold_error", "the gold is empty")
    try:
        reference, candidates = _prepared(gold, prediction, rules)
    except NoStatementError:
        return Verdict(False, "empty", "the prediction is empty")
    except SQLParseError as error:
        return Verdict(False, "error", str(error))
    ordered = _ordered(reference, compat=rules.compat)
    verdict = Verdict(False, "different")
    for number, candidate in enumerate(candidates):
        challenger = _on_all(reference, candidate, databases, rules, ordered=ordered)
        if challenger.correct or challenger.reason == "gold_error":
            return challenger
        verdict = challenger if number == 0 else verdict
    return verdict


def _prepared(gold: str, prediction: str, rules: Rules) -> tuple[str, Iterator[str]]:
    """The gold as it is run, and every form of the prediction that may prove right."""
    if rules.compat:
        prediction = prediction.replace("value", "1")
    elif not prediction.strip():
        raise NoStatementError("the prediction is empty")
    gold, prediction = join_operators(gold), join_operators(prediction)
    if not rules.keep_distinct:
        gold = without_distinct(gold, compat=rules.compat)
        prediction = without_distinct(prediction, compat=rules.compat)
    forms: Iterator[str] = iter((prediction,))
    if rules.plug_value:
        forms = chain(forms, islice(plugged(gold, prediction), None if rules.compat else _PLUGGED_AT_MOST))
    return gold, forms


def _on_all(gold: str, candidate: str, databases: Sequence[Path], rules: Rules, *, ordered: bool) -> Verdict:
    for database in databases:
        verdict = _on_one(gold, candidate, database, rules, ordered=ordered)
        if not verdict.correct:
            return verdict
    return Verdict(True, "equal")


def _on_one(gold: str, candidate: str, database: Path, rules: Rules, *, ordered: bool) -> Verdict:
    reference = _gold_result(gold, database, rules)
    if isinstance(reference, Failure):
        return Verdict(False, "gold_error", f"{database.name}: {reference.message}")
    # one row more than the gold has settles it, so a runaway join is not fetched
    at_most = len(reference.rows)
    if rules.compat:
        result = run_compat(database, candidate, at_most=at_most)
    else:
        result = run_clean(database, candidate, seconds=rules.seconds, at_most=at_most)
    if isinstance(result, Failure):
        return Verdict(False, _reason(result), result.message)
    gold_rows, rows = _rounded(reference.rows, rules.decimals), _rounded(result.rows, rules.decimals)
    equal = not result.more and same_table(gold_rows, rows, ordered=ordered, compat=rules.compat)
    return Verdict(equal, "equal" if equal else "different")


def _rounded(rows: Sequence[Cells], decimals: int | None) -> Sequence[Cells]:
    if decimals is None:
        return rows
    return [tuple(round(cell, decimals) if isinstance(cell, float) else cell for cell in row) for row in rows]


def _gold_result(gold: str, database: Path, rules: Rules) -> Fetched | Failure:
    if rules.compat:
        return _GOLD.get(database, "compat\x1f" + gold, lambda: run_compat(database, gold))
    return _GOLD.get(database, "clean\x1f" + gold, lambda: run_clean(database, gold, seconds=rules.seconds))


def _reason(failure: Failure) -> Reason:
    match failure.kind:
        case "timeout" | "denied" | "empty":
            return failure.kind
        case _:
            return "error"


@lru_cache(maxsize=4096)
def _ordered(gold: str, *, compat: bool) -> bool:
    """Whether rows compare as lists: officially if `order by` occurs, else if the outermost query sorts."""
    if compat:
        return "order by" in gold.lower()
    try:
        tree = sqlglot.parse_one(gold, dialect="sqlite")
    except SqlglotError:
        return "order by" in " ".join(gold.lower().split())
    return bool(tree.args.get("order"))
