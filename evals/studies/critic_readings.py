"""How well a critic tells right queries from wrong ones, on the examples of its training sets that validate.

Run as `python -m critiql.evals.studies.critic_readings SET ... --model MODEL`: sets are files of
`critiql train data --task llm_critic`; prints one JSON object. The databases of these examples train nothing.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from critiql.agent.calls import FALSE, TRUE, p_true
from critiql.evals.statistics import auc
from critiql.tools.models.factory import load_model
from critiql.tools.models.model import LanguageModel, Prompt


class Read(NamedTuple):
    """A query that ran, and what the critic says of it."""

    database: str
    number: int
    """Of the question."""
    right: bool
    p_true: float


def examples(paths: Sequence[Path]) -> Iterator[dict[str, Any]]:
    """The examples that validate, each once, so that those of a database stand together."""
    rows = (json.loads(line) for path in paths for line in path.read_text().splitlines())
    kept = {(row["db_id"], row["request"]): row for row in rows if row["part"] == "validation"}
    yield from (kept[key] for key in sorted(kept))


def read(model: LanguageModel, row: dict[str, Any]) -> Read:
    """P(True) of one query, with True and False alone."""
    prompt = Prompt(row["prefix"], row["request"], row["opening"])
    chance = p_true(model.choose(prompt, (TRUE, FALSE)))
    return Read(row["db_id"], row["index"], row["kind"] == "right", chance)


def summary(found: Sequence[Read]) -> dict[str, Any]:
    """Area under the curve with its interval, which takes the queries for independent of each other."""
    area = auc([one.p_true for one in found], [one.right for one in found])
    return {
        "queries": len(found),
        "right": sum(one.right for one in found),
        "databases": len({one.database for one in found}),
        "questions": len({one.number for one in found}),
        "auc": round(area.value, 3),
        "interval": [round(area.low, 3), round(area.high, 3)],
    }


def main(
    sets: Annotated[list[Path], typer.Argument(help="Files of `critiql train data --task llm_critic`.")],
    model: Annotated[str, typer.Option(help="The critic, as for --model of ask.")],
    rows: Annotated[Path | None, typer.Option(help="File for the readings, a line a query.")] = None,
) -> None:
    """Print the area under the curve."""
    critic = load_model(model)
    found = [read(critic, row) for row in examples(sets)]
    if rows is not None:
        rows.write_text("".join(json.dumps(one._asdict()) + "\n" for one in found))
    typer.echo(json.dumps({"model": critic.name, "fingerprint": critic.fingerprint, **summary(found)}))


if __name__ == "__main__":
    typer.run(main)
