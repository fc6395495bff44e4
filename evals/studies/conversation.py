"""Follow-ups in conversations about the sample database: does the question that is shown say what is meant?

Run as `python -m critiql.evals.studies.conversation FILE`, as often as it takes: each conversation is kept in
the file at once, and `--seconds` ends a piece. `--report` prints one JSON object of what is in it.
`conversations.jsonl` holds the conversations. A follow-up counts as understood if its question holds every
text of `must` and none of `never`; a text with `|` is any of several. Where it has a query, the answer's rows
are compared with that query's. `--answers` answers every question; without it only the rewriting is done.
"""

import json
import re
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from critiql.agent.assistant.conversation import Choices, Turn
from critiql.agent.assistant.follow_up import follow_up
from critiql.agent.assistant.router import route_after_router, router
from critiql.agent.context import Context
from critiql.evals.statistics import wilson
from critiql.graphs.assistant import graph
from critiql.tools.database.open import get_database
from critiql.tools.database.result import Failure
from critiql.tools.database.sample.build import sample_database

CONVERSATIONS = Path(__file__).with_name("conversations.jsonl")
STEPS = 200
"""Steps of a turn's graph; the inner one has a limit of its own."""


def conversations() -> list[dict[str, Any]]:
    """All of them: `part` (choosing, or fresh: not looked at while prompts were changed) and `turns`."""
    return [json.loads(line) for line in CONVERSATIONS.read_text(encoding="utf-8").splitlines()]


def understood(question: str, turn: dict[str, Any]) -> bool:
    """Whether a question holds all that a follow-up needs, and nothing that it has left behind."""
    has_all = all(re.search(text, question, re.IGNORECASE) for text in turn["must"])
    return has_all and not any(re.search(text, question, re.IGNORECASE) for text in turn["never"])


def rewritten(conversation: dict[str, Any], model: str) -> Iterator[dict[str, Any]]:
    """Each follow-up as the router and the rewriter of the assistant understand it; nothing is answered."""
    choices = Choices(settings=Context(model=model) if model else Context())
    turns: list[Turn] = []
    for place, one in enumerate(conversation["turns"]):
        state: Any = {"said": one["said"], "question": one["said"], "turns": turns, "last": {}}
        started = time.monotonic()
        question = one["said"]
        if place:
            tool = router(state, choices).get("tool", "ask")
            follows = route_after_router(state | {"tool": tool}) == "follow_up"
            question = follow_up(state, choices).get("question", question) if follows else question
            yield line(one, tool, question, time.monotonic() - started)
        turns.append(turn(one["said"], question))


def turn(said: str, question: str) -> Turn:
    """A turn that was a question."""
    return Turn(said=said, question=question, tool="ask", text="", answer=None, chart=None)


def answered(conversation: dict[str, Any], model: str) -> Iterator[dict[str, Any]]:
    """Each follow-up in a real conversation, every question of which is answered."""
    context: Any = {"clarify": False, **({"model": model} if model else {})}
    config: Any = {"recursion_limit": STEPS}
    turns: list[Any] = []
    for place, one in enumerate(conversation["turns"]):
        given: Any = {"messages": [{"role": "user", "content": one["said"]}], "turns": turns}
        started = time.monotonic()
        final = graph.invoke(given, config, context=context)
        turns = final["turns"]
        answer = final.get("answer") or {}
        if place:
            told = line(one, final["tool"], final["question"], time.monotonic() - started)
            right = rows_match(one["sql"], answer.get("rows")) if one.get("sql") else None
            yield {**told, "sql": answer.get("sql"), "right": right}


def line(one: dict[str, Any], tool: str, question: str, seconds: float) -> dict[str, Any]:
    """What is kept of a follow-up."""
    meant = tool == "ask" and understood(question, one)
    return {
        "said": one["said"],
        "tool": tool,
        "question": question,
        "understood": meant,
        "seconds": round(seconds, 1),
    }


def rows_match(sql: str, rows: Sequence[Sequence[Any]] | None) -> bool:
    """Whether an answer's rows are those of a query; all such queries give one number."""
    result = get_database(sample_database()).run(sql)
    return not isinstance(result, Failure) and rows is not None and close(result.rows, rows)


def close(mine: Sequence[Sequence[Any]], theirs: Sequence[Sequence[Any]]) -> bool:
    """Whether both are the same single number, however it was rounded."""
    if len(theirs) != 1 or len(theirs[0]) != 1 or not isinstance(theirs[0][0], int | float):
        return False
    return bool(abs(mine[0][0] - theirs[0][0]) < 0.01)


def read(file: Path) -> list[dict[str, Any]]:
    """What was done so far, a follow-up each."""
    return (
        [json.loads(text) for text in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []
    )


def report(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Of each part: how many follow-ups were understood, with a 95 % interval, and how many are right."""
    return {part: summary([one for one in rows if one["part"] == part]) for part in ("choosing", "fresh")}


def summary(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The figures of one part."""
    meant, judged = (
        sum(one["understood"] for one in rows),
        [one for one in rows if one.get("right") is not None],
    )
    return {
        "follow-ups": len(rows),
        "understood": meant,
        "interval": [round(100 * bound, 1) for bound in wilson(meant, len(rows))] if rows else None,
        "with a query": len(judged),
        "right": sum(one["right"] for one in judged),
        "seconds": round(sum(one["seconds"] for one in rows) / max(len(rows), 1), 1),
    }


def main(
    file: Annotated[Path, typer.Argument(help="Where follow-ups are kept, a JSON object a line.")] = Path(
        "conversation.jsonl"
    ),
    model: Annotated[str, typer.Option(help="Model of all roles.")] = "",
    part: Annotated[str, typer.Option(help="choosing or fresh; empty: both.")] = "",
    answers: Annotated[bool, typer.Option("--answers", help="Answer every question.")] = False,
    seconds: Annotated[float, typer.Option(help="Begin no further conversation after this long.")] = 200,
    only_report: Annotated[bool, typer.Option("--report", help="Ask nothing.")] = False,
) -> None:
    """Hold the conversations that were not held yet, then say what came out."""
    started, done = time.monotonic(), {one["conversation"] for one in read(file)}
    for number, each in enumerate(() if only_report else conversations()):
        if number in done or (part and each["part"] != part):
            continue
        if time.monotonic() - started > seconds:
            break
        held = list((answered if answers else rewritten)(each, model))
        with file.open("a", encoding="utf-8") as opened:
            for one in held:
                opened.write(json.dumps({"part": each["part"], "conversation": number, **one}) + "\n")
    typer.echo(json.dumps(report(read(file)), indent=2))


if __name__ == "__main__":
    typer.run(main)
