"""How often a question is turned away: on its own database, where it should not be, and on another one.

`CRITIQL_DATA=... python -m critiql.evals.benchmarks.abstention [TASK ...]` prints one JSON object a task.
Each question is asked once of its own database and once of another of the task, drawn with a fixed seed.
"""

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from critiql.agent.roles.abstain import off_topic
from critiql.evals.data.item import Item
from critiql.evals.data.task import questions
from critiql.evals.statistics import wilson
from critiql.tools.database.open import get_database

SEED = 0


def turned_away(items: Sequence[Item], databases: Sequence[Path]) -> list[bool]:
    """Per question whether it is off topic for the database beside it."""
    return [
        off_topic(item.question, get_database(str(database))) is not None
        for item, database in zip(items, databases, strict=True)
    ]


def others(items: Sequence[Item]) -> list[Path]:
    """For each question a database of another one."""
    generator = random.Random(SEED)
    known = sorted({item.database for item in items})
    return [generator.choice([path for path in known if path != item.database]) for item in items]


def share(found: Sequence[bool]) -> dict[str, object]:
    """Count, share and 95 % interval."""
    return {"n": len(found), "turned_away": sum(found), "interval": wilson(sum(found), len(found))}


def main(
    tasks: Annotated[list[str] | None, typer.Argument(help="Tasks; both train samples by default.")] = None,
) -> None:
    """Print the two shares for each task."""
    for task in tasks or ["spider-train-300", "spider-train-fit"]:
        items = questions(task).items
        own = share(turned_away(items, [item.database for item in items]))
        other = share(turned_away(items, others(items)))
        typer.echo(json.dumps({"task": task, "own_database": own, "other_database": other}))


if __name__ == "__main__":
    typer.run(main)
