"""How often two drafts of a question that return the same rows are right, and how often they do.

Run as `python -m critiql.evals.studies.draft_agreement ONE OTHER`: two stores or exports with answers of
`single_shot`, by the model without and with an adapter; asks no model, and prints one JSON object.
"""

import json
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from critiql.evals.run.export import open_results
from critiql.evals.run.store import StoredAnswer
from critiql.evals.statistics import wilson


class Draft(NamedTuple):
    """The one query that was written for a question."""

    right: bool
    rows: str | None
    """Fingerprint of what it returned; None where it failed."""
    returned: int
    """Number of rows."""
    sql: str = ""


def drafts(path: Path, dataset: str, run: str | None = None) -> dict[int, Draft]:
    """The drafts of a run of single_shot by index of the question; the newest run where none is named.

    Raises:
        FileNotFoundError, ValueError: the file is neither store nor export.
        LookupError: it holds no such run.
    """
    with closing(open_results(path)) as store:
        answers = store.answers(store.run(run or "single_shot", dataset))
        return {one.index: _draft(one) for one in answers if one.candidates and one.correct is not None}


def _draft(answer: StoredAnswer) -> Draft:
    execution: dict[str, Any] = answer.candidates[0].get("execution") or {}
    return Draft(
        bool(answer.correct),
        execution.get("rows_fingerprint"),
        execution.get("row_count") or 0,
        answer.candidates[0]["sql"],
    )


def agreement(one: dict[int, Draft], other: dict[int, Draft]) -> dict[str, Any]:
    """Precision and coverage of agreement, and what is left where the two differ."""
    pairs = [(one[index], other[index]) for index in sorted(one.keys() & other.keys())]
    agree = [pair for pair in pairs if pair[0].rows is not None and pair[0].rows == pair[1].rows]
    filled = [pair for pair in agree if pair[0].returned]
    differ = [pair for pair in pairs if pair not in agree]
    return {
        "questions": len(pairs),
        "right": {"one": _right(pair[0] for pair in pairs), "other": _right(pair[1] for pair in pairs)},
        "either right": sum(first.right or second.right for first, second in pairs),
        "agree": _share(len(agree), len(pairs)),
        "agree and right": _share(_right(pair[0] for pair in agree), len(agree)),
        "agree on some rows": _share(len(filled), len(pairs)),
        "agree on some rows and right": _share(_right(pair[0] for pair in filled), len(filled)),
        "differ": dict(Counter(f"{_word(first)}, {_word(second)}" for first, second in differ)),
    }


def _right(found: Iterable[Draft]) -> int:
    return sum(one.right for one in found)


def _word(draft: Draft) -> str:
    return "right" if draft.right else "wrong"


def _share(count: int, n: int) -> dict[str, Any]:
    low, high = wilson(count, n)
    return {"count": count, "n": n, "low": round(low, 3), "high": round(high, 3)}


def main(
    one: Annotated[Path, typer.Argument(help="Store or export.")],
    other: Annotated[Path, typer.Argument(help="Store or export.")],
    dataset: Annotated[str, typer.Option(help="The data set of both.")] = "spider-train",
    run: Annotated[str | None, typer.Option(help="Run of the first file; else its newest.")] = None,
    other_run: Annotated[str | None, typer.Option(help="Run of the second file; else its newest.")] = None,
) -> None:
    """Print how often the two agree, and how often they are right then."""
    report = agreement(drafts(one, dataset, run), drafts(other, dataset, other_run))
    typer.echo(json.dumps(report, indent=2))


if __name__ == "__main__":
    typer.run(main)
