"""Stored answers of text_to_sql, decided anew by the rule as the graph applies it now.

Run as `python -m critiql.evals.studies.decide_replay [EXPORT ...]`; prints one JSON object. Each answer's
candidates are given to the rule generation by generation, with everything that is known of them. What comes
out differs from what is stored where a query was once weighed before anybody had looked for errors in it.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from critiql.agent.decide.incumbent import settle
from critiql.agent.evidence import Candidate
from critiql.evals.run.export import open_results
from critiql.evals.run.store import StoredAnswer

EXPORTS = Path(__file__).parents[1] / "exports"


class Replayed(NamedTuple):
    """One stored answer beside what the rule chooses now."""

    question: int
    """Its index in the data set."""
    before: str
    now: str
    right_before: bool | None
    right_now: bool | None


def replay(answer: StoredAnswer) -> Replayed:
    """Decide a stored answer anew, one generation after the other."""
    candidates: list[Any] = [whole(candidate) for candidate in answer.candidates]
    incumbent: Candidate = candidates[0]
    for written in sorted({candidate["round"] for candidate in candidates}):
        known = [candidate for candidate in candidates if candidate["round"] <= written]
        incumbent, _ = settle(known, incumbent)
    chosen: Any = incumbent
    return Replayed(answer.index, answer.sql, chosen["sql"], answer.correct, chosen.get("correct"))


def whole(candidate: dict[str, Any]) -> dict[str, Any]:
    """A candidate with the fields that an export leaves out where they are empty."""
    execution = candidate.get("execution")
    nothing = {"ok": False, "row_count": 0, "rows_fingerprint": None, "null_columns": 0}
    return {**candidate, "execution": {**nothing, **execution} if execution else None}


def replays(path: Path) -> Iterator[Replayed]:
    """Every answer of text_to_sql in an export or a store that has a query.

    Raises:
        ValueError: the file is neither.
    """
    with closing(open_results(path)) as store:
        for run in store.runs():
            if run.spec.system == "text_to_sql":
                yield from (replay(one) for one in store.answers(run) if one.candidates and one.sql)


def summarise(found: Sequence[Replayed]) -> dict[str, object]:
    """Counts, and the answers that come out otherwise."""
    other = [one for one in found if one.before != one.now]
    return {
        "answers": len(found),
        "another query": len(other),
        "right before, wrong now": sum(bool(one.right_before) and not one.right_now for one in other),
        "wrong before, right now": sum(not one.right_before and bool(one.right_now) for one in other),
        "indices": [one.question for one in other],
    }


def main(
    exports: Annotated[list[Path] | None, typer.Argument(help="Exports or stores; all of ours.")] = None,
) -> None:
    """Print what the rule decides otherwise now, per file and in all."""
    files = exports or sorted(EXPORTS.rglob("*.jsonl.gz"))
    found = {file.name: list(replays(file)) for file in files}
    report = {name: summarise(answers) for name, answers in found.items() if answers}
    whole = summarise([one for answers in found.values() for one in answers])
    typer.echo(json.dumps({"files": report, "all": whole}, indent=2))


if __name__ == "__main__":
    typer.run(main)
