"""Stored answers of text_to_sql, ended where nothing is in doubt any more by a stricter idea of doubt.

Run as `python -m critiql.evals.studies.doubt_replay EXPORT ... --dataset spider-train`; needs CRITIQL_DATA,
asks no model, and prints one JSON object. Each answer is gone through generation by generation: at each, the
rule chooses among what is known by then, and the answer ends there where the doubt is gone. Its seconds are
those of the model calls up to there when they were first made.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
import typer

from critiql.agent.context import Context
from critiql.agent.decide.doubt import SURPRISE, doubts
from critiql.agent.decide.incumbent import settle
from critiql.agent.state import Candidate
from critiql.evals.data.datasets import load
from critiql.evals.data.item import Item
from critiql.evals.run.export import open_results, read
from critiql.evals.run.store import StoredAnswer
from critiql.evals.studies.decide_replay import whole
from critiql.tools.database.open import open_database
from critiql.tools.errors.lookup import DatabaseValues
from critiql.tools.errors.proven_empty import is_proven_empty
from critiql.tools.errors.query import Query
from critiql.tools.errors.rules import read as read_query

CONTEXT = Context(llm_critic="off")
"""With the default model no critic is asked; its verdicts in a store are `unknown`."""


class Way(NamedTuple):
    """An idea of doubt."""

    proven: bool
    """An empty result whose conditions are all proven is no doubt."""
    repeats: int
    """Repeated draws that end the loop where a surprise alone is in doubt; two end any."""


WAYS = {
    "before": Way(proven=False, repeats=2),
    "proven empty": Way(proven=True, repeats=2),
    "first repeat": Way(proven=False, repeats=1),
    "both": Way(proven=True, repeats=1),
}


class Ended(NamedTuple):
    """Where an answer would end."""

    right: bool
    generations: int
    seconds: float
    warm: bool
    """The schema had been read for an earlier question."""


class Call(NamedTuple):
    """What writing one query took."""

    seconds: float
    computed: int
    """Prompt tokens that were not cached."""


WARM = 200
"""A first call that computes at most this many prompt tokens did not read a schema."""


def end(answer: StoredAnswer, way: Way, item: Item, calls: Sequence[Call]) -> Ended:
    """Go through an answer until nothing is in doubt, or to its own end.

    Args:
        answer: the stored answer, with at least one candidate.
        way: the idea of doubt.
        item: its question, with the database that proves a result empty.
        calls: of each generation, in order.
    """
    candidates: list[Any] = [whole(candidate) for candidate in answer.candidates]
    rounds = sorted({candidate["round"] for candidate in candidates})
    incumbent: Candidate = candidates[0]
    last = rounds[-1]
    for last in rounds:
        known = [candidate for candidate in candidates if candidate["round"] <= last]
        incumbent, _ = settle(known, incumbent)
        left = _doubts(incumbent, way, item)
        repeated = sum(candidate.get("repeats") is not None for candidate in known)
        if not left or (left == [SURPRISE] and repeated >= way.repeats):
            break
    chosen: Any = incumbent
    seconds = sum(call.seconds for call in calls[:last])
    return Ended(bool(chosen.get("correct")), last, seconds, bool(calls) and calls[0].computed <= WARM)


def _doubts(incumbent: Candidate, way: Way, item: Item) -> list[str]:
    proven = way.proven and _proven(incumbent, item)
    return doubts({**incumbent, "proven_empty": proven}, CONTEXT)


def _proven(candidate: Candidate, item: Item) -> bool:
    execution = candidate.get("execution")
    if not execution or not execution["ok"] or execution["row_count"]:
        return False
    database = open_database(item.database)
    values = DatabaseValues(database)
    query = read_query(candidate["sql"], database.schema(), question=item.question, values=values)
    return isinstance(query, Query) and is_proven_empty(query)


def stored_answers(path: Path) -> Iterator[tuple[StoredAnswer, list[Call]]]:
    """The answers of text_to_sql with its default settings, each with its calls.

    Raises:
        ValueError: the file is no export.
    """
    written = (x for x in read(path) if x["kind"] == "call" and x["operation"] == "generate")
    calls = {call["key"]: _call(call["result"]["usage"]) for call in written}
    with closing(open_results(path)) as store:
        for run in store.runs():
            plain = run.spec.settings.keys() <= {"calibration", "seconds"}
            if run.spec.system == "text_to_sql" and plain:
                for answer in store.answers(run):
                    if answer.candidates:
                        yield answer, [calls[key] for key in answer.calls if key in calls]


def _call(usage: dict[str, float]) -> Call:
    return Call(usage["seconds"], int(usage["prompt_tokens"] - usage["cached_tokens"]))


def summarise(before: Sequence[Ended], now: Sequence[Ended]) -> dict[str, object]:
    """How many end earlier, what that does to right answers, and the seconds of a model."""
    pairs = list(zip(before, now, strict=True))
    took = [one.seconds for one in now]
    warm = [one.seconds for one in now if one.warm] or [0.0]
    return {
        "answers": len(now),
        "right": sum(one.right for one in now),
        "end earlier": sum(new.generations < old.generations for old, new in pairs),
        "right before, wrong now": sum(old.right and not new.right for old, new in pairs),
        "wrong before, right now": sum(new.right and not old.right for old, new in pairs),
        "seconds": round(sum(took), 1),
        "median": round(float(np.median(took)), 2),
        "p95": round(float(np.percentile(took, 95)), 2),
        "warm answers": len(warm),
        "warm median": round(float(np.median(warm)), 2),
        "warm p95": round(float(np.percentile(warm, 95)), 2),
    }


def main(
    exports: Annotated[list[Path], typer.Argument(help="Exports of text_to_sql.")],
    dataset: Annotated[str, typer.Option(help="The data set their indices are of.")] = "spider-train",
) -> None:
    """Print, per idea of doubt, what ends earlier and what it costs."""
    data = load(dataset)
    if data.not_run:
        raise typer.BadParameter(data.not_run)
    items = {item.index: item for item in data.items}
    report: dict[str, object] = {}
    for path in exports:
        answers = list(stored_answers(path))
        ended = {
            name: [end(answer, way, items[answer.index], calls) for answer, calls in answers]
            for name, way in WAYS.items()
        }
        report[path.name] = {name: summarise(ended["before"], found) for name, found in ended.items()}
    typer.echo(json.dumps(report, indent=2))


if __name__ == "__main__":
    typer.run(main)
