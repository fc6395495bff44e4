"""Stored answers of text_to_sql, ended where nothing is in doubt any more by a stricter idea of doubt.

Run as `python -m critiql.evals.studies.doubt_replay EXPORT ... --dataset spider-train`; needs CRITIQL_DATA,
asks no model, and prints one JSON object. Each answer is gone through generation by generation: at each, the
rule chooses among what is known by then, and the answer ends there where the doubt is gone. Its seconds are
those of the model calls up to there when they were first made; seconds at rest are worked out from tokens,
since the machine was shared. `--ways draws` tries rules that end draws early.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from functools import cache
from itertools import zip_longest
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
import typer

from critiql.agent.context import Context
from critiql.agent.decide.doubt import SURPRISE, doubts
from critiql.agent.decide.incumbent import settle
from critiql.agent.evidence import Candidate
from critiql.evals.data.datasets import load
from critiql.evals.data.item import Item
from critiql.evals.run.export import open_results, read
from critiql.evals.run.store import StoredAnswer
from critiql.evals.studies.decide_replay import whole
from critiql.tools.database.open import open_database
from critiql.tools.database.result import Rows
from critiql.tools.errors.lookup import DatabaseValues
from critiql.tools.errors.proven_empty import is_proven_empty
from critiql.tools.errors.query import Query
from critiql.tools.errors.rules import read as read_query

CONTEXT = Context(llm_critic="off")
"""With the default model no critic is asked; its verdicts in a store are `unknown`."""


class Way(NamedTuple):
    """An idea of doubt, and of when to draw no more."""

    proven: bool = True
    """An empty result whose conditions are all proven is no doubt."""
    repeats: int = 2
    """Repeated draws that end the loop where a surprise alone is in doubt; two end any."""
    draws: int = 99
    """Queries of the model after which the loop ends."""
    errors: int = 99
    """Failed draws in a row with the same kind of error, none having run, that end it."""
    results: int = 99
    """Draws with the text or the result of an earlier one that end it."""
    longer: float = 99.0
    """A draw with more than this many times the tokens of the first query, and ten, is cut off."""


WAYS = {
    "before": Way(proven=False, repeats=2),
    "proven empty": Way(proven=True, repeats=2),
    "first repeat": Way(proven=False, repeats=1),
    "both": Way(proven=True, repeats=1),
}
DRAWS = {
    "as it is": Way(),
    **{f"at most {number} draws": Way(draws=number) for number in (4, 3, 2)},
    **{f"{number} equal errors end": Way(errors=number) for number in (2, 3, 4)},
    **{f"{number} equal results end": Way(results=number) for number in (1, 2, 3)},
    **{f"at most {times} times the first's tokens": Way(longer=times) for times in (1.5, 2.0, 3.0)},
}


class Ended(NamedTuple):
    """Where an answer would end."""

    right: bool
    generations: int
    seconds: float
    warm: bool
    """The schema had been read for an earlier question."""
    at_rest: float
    """Seconds that its tokens take on an idle core, the schema having been read before."""


class Call(NamedTuple):
    """What writing one query took."""

    seconds: float
    computed: int
    """Prompt tokens that were not cached."""
    generated: int = 0


WARM = 200
"""A first call that computes at most this many prompt tokens did not read a schema."""


PROMPT_SECONDS, TOKEN_SECONDS = 0.020, 0.055
"""Medians of these exports: of calls that read over 300 tokens of prompt, and of those that read under 70."""
REQUEST = 60
"""Prompt tokens of a question whose schema has been read, at most."""


def end(answer: StoredAnswer, way: Way, item: Item, calls: Sequence[Call]) -> Ended:
    """Go through an answer until nothing is in doubt, or to its own end.

    Args:
        answer: the stored answer, with at least one candidate.
        way: the idea of doubt.
        item: its question, with the database that proves a result empty.
        calls: of each generation, in order.
    """
    candidates: list[Any] = [whole(candidate) for candidate in answer.candidates]
    candidates = [one for one in candidates if one["round"] == 1 or not _is_cut(one, way, calls)]
    rounds = range(1, max(candidate["round"] for candidate in answer.candidates) + 1)
    incumbent: Candidate = candidates[0]
    last = 1
    for last in rounds:
        known = [candidate for candidate in candidates if candidate["round"] <= last]
        incumbent, _ = settle(known, incumbent)
        left = _doubts(incumbent, way, item)
        repeated = sum(candidate.get("repeats") is not None for candidate in known)
        if not left or (left == [SURPRISE] and repeated >= way.repeats) or _is_enough(known, way, item, last):
            break
    chosen: Any = incumbent
    used = calls[:last]
    warm = bool(calls) and calls[0].computed <= WARM
    seconds = sum(call.seconds for call in used)
    return Ended(bool(chosen.get("correct")), last, seconds, warm, _at_rest(used, way.longer))


def _at_rest(calls: Sequence[Call], longer: float) -> float:
    """Seconds of these calls on an idle core, each cut off where it is too long."""
    most = longer * calls[0].generated + 10 if calls else 0.0
    return sum(
        PROMPT_SECONDS * min(REQUEST, call.computed) + TOKEN_SECONDS * min(call.generated, most)
        for call in calls
    )


def _is_cut(candidate: Mapping[str, Any], way: Way, calls: Sequence[Call]) -> bool:
    return bool(calls) and (candidate.get("tokens") or 0) > way.longer * calls[0].generated + 10


def _is_enough(known: Sequence[Any], way: Way, item: Item, draws: int) -> bool:
    """Whether a rule about draws ends the loop."""
    return (
        draws >= way.draws
        or _equal_errors(known) >= way.errors
        or (way.results < len(known) and _equal_results(known, item) >= way.results)
    )


def _equal_errors(known: Sequence[Any]) -> int:
    """How many of the last draws failed alike, where nothing has run."""
    told = [candidate["execution"] for candidate in known if candidate.get("execution")]
    if any(execution["ok"] for execution in told):
        return 0
    kinds = [one["execution"]["kind"] for one in known if one["origin"] == "actor" and one.get("execution")]
    return next((place for place, kind in enumerate(reversed(kinds)) if kind != kinds[-1]), len(kinds))


def _equal_results(known: Sequence[Any], item: Item) -> int:
    """How many draws have the text or the rows of an earlier one."""
    draws = [candidate for candidate in known if candidate["origin"] == "actor"]
    found = [_rows(item, one["sql"]) for one in draws if one.get("repeats") is None]
    ran = [rows for rows in found if rows is not None]
    return len(ran) - len(set(ran)) + sum(one.get("repeats") is not None for one in draws)


@cache
def _rows(item: Item, sql: str) -> tuple[str, ...] | None:
    """The rows of a query in any order; None where it fails."""
    result = open_database(item.database).run(sql)
    return tuple(sorted(map(repr, result.rows))) if isinstance(result, Rows) else None


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
    return Call(
        usage["seconds"], int(usage["prompt_tokens"] - usage["cached_tokens"]), int(usage["generated_tokens"])
    )


def _ended(
    told: tuple[StoredAnswer, list[Call]], way: Way, items: Mapping[int, Item], before: Ended | None
) -> Ended:
    """Where an answer ends; one that ended with its first query before does so in any way."""
    answer, calls = told
    return before if before and before.generations == 1 else end(answer, way, items[answer.index], calls)


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
        "median at rest": round(float(np.median([one.at_rest for one in now])), 2),
        "p95 at rest": round(float(np.percentile([one.at_rest for one in now], 95)), 2),
        "warm answers": len(warm),
        "warm median": round(float(np.median(warm)), 2),
        "warm p95": round(float(np.percentile(warm, 95)), 2),
    }


def main(
    exports: Annotated[list[Path], typer.Argument(help="Exports of text_to_sql.")],
    dataset: Annotated[str, typer.Option(help="The data set their indices are of.")] = "spider-train",
    ways: Annotated[Literal["doubt", "draws"], typer.Option(help="Which rules are tried.")] = "doubt",
) -> None:
    """Print, per idea of doubt, what ends earlier and what it costs."""
    data = load(dataset)
    if data.not_run:
        raise typer.BadParameter(data.not_run)
    items = {item.index: item for item in data.items}
    report: dict[str, dict[str, object]] = {}
    tried = WAYS if ways == "doubt" else DRAWS
    for path in exports:
        answers = list(stored_answers(path))
        before: list[Ended] = []
        report[path.name] = told = {}
        for name, way in tried.items():
            found = [_ended(one, way, items, old) for one, old in zip_longest(answers, before)]
            before = before or found
            told[name] = summarise(before, found)
    typer.echo(json.dumps(report, indent=2))


if __name__ == "__main__":
    typer.run(main)
