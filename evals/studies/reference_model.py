"""A model that knows the reference queries, as an OpenAI endpoint: it writes them right, wrong or broken.

Run as `python -m critiql.evals.studies.reference_model TASK [--limit N] [--port P]`, and name the model
`openai:reference@http://127.0.0.1:P/v1`. Which of the three it writes is decided by a digest of question and
seed, so every part of a loop has work, and whoever asks the same gets the same: one process, or a cluster.
"""

import hashlib
from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any

import typer

from critiql.evals.data.task import questions
from critiql.evals.studies.chat_endpoint import endpoint

SHORT = 8
"""Tokens; who wants no more asks for a verdict."""


def written(question: str, gold: str, seed: int) -> str:
    """A query: right three times in six, else one that fails, one without conditions, or one row of it."""
    digest = _digest(question, seed)
    broken = gold.replace("SELECT", "SELECT nonesuch,", 1)
    return (gold, gold, gold, broken, gold.partition(" WHERE ")[0], f"{gold} LIMIT 1")[digest % 6]


def reply(body: Mapping[str, Any], references: Mapping[str, str]) -> str:
    """What the model says.

    Args:
        body: the request, as chat completions have it.
        references: query by question; of those that the last message holds, the longest counts.
    """
    text = str(body["messages"][-1]["content"])
    question = max((each for each in references if each in text), key=len, default="")
    seed = int(body.get("seed") or 0) if body.get("temperature") else 0
    if (body.get("max_tokens") or SHORT + 1) <= SHORT:
        return "True" if _digest(question, seed) % 4 else "False"
    return written(question, references.get(question, "SELECT 1"), seed)


def _digest(question: str, seed: int) -> int:
    return int(hashlib.sha256(f"{question}|{seed}".encode()).hexdigest(), 16)


def main(
    task: Annotated[str, typer.Argument(help="Task, data set, or a file of your own.")],
    limit: Annotated[int | None, typer.Option(help="As `critiql eval run` has it.", min=1)] = None,
    port: Annotated[int, typer.Option(help="On loopback.")] = 18800,
) -> None:
    """Serve until Ctrl-C."""
    references = {item.question: item.gold for item in questions(task, limit).items}
    server = endpoint(partial(reply, references=references), port)
    typer.echo(
        f"openai:reference@http://127.0.0.1:{server.server_port}/v1 knows {len(references)} questions."
    )
    server.serve_forever()


if __name__ == "__main__":
    typer.run(main)
