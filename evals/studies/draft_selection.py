"""Whether the selector finds the right one of two drafts that return different rows.

Run as `python -m critiql.evals.studies.draft_selection ONE OTHER --model MODEL`: two stores or exports with
answers of `single_shot`, as `draft_agreement` takes them; prints one JSON object.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from critiql.agent.context import Context
from critiql.agent.databases import summarise
from critiql.agent.evidence import Candidate
from critiql.agent.roles.ground import fits, schema_prefix
from critiql.agent.roles.selector import preference
from critiql.agent.state import State
from critiql.evals.data.datasets import load
from critiql.evals.data.item import Item
from critiql.evals.statistics import wilson
from critiql.evals.studies.draft_agreement import Draft, drafts
from critiql.tools.database.open import get_database
from critiql.tools.database.result import Limits
from critiql.tools.models.factory import load_model
from critiql.tools.models.model import LanguageModel

LIMITS = Limits(seconds=2.0, rows=2000)
"""What one execution may cost."""


class Pair(NamedTuple):
    """Two drafts of a question that ran and return different rows."""

    item: Item
    one: Draft
    other: Draft


class Choice(NamedTuple):
    """What the selector thinks of a pair."""

    number: int
    """Of the question."""
    one_right: bool
    other_right: bool
    log_odds: float
    """That the first one is right and not the second, in nats."""

    @property
    def right(self) -> bool:
        """Whether the one it prefers is right; the second one where it does not care."""
        return self.one_right if self.log_odds > 0 else self.other_right


def pairs_of(items: Sequence[Item], one: dict[int, Draft], other: dict[int, Draft]) -> Iterator[Pair]:
    """The pairs whose rows differ, database by database."""
    for item in sorted(items, key=lambda item: (str(item.database), item.index)):
        first, second = one.get(item.index), other.get(item.index)
        if first is None or second is None or None in (first.rows, second.rows):
            continue
        if first.rows != second.rows:
            yield Pair(item, first, second)


def choose(model: LanguageModel, pair: Pair) -> Choice | None:
    """Ask the selector; None where the schema is too long to be shown whole."""
    database, context = get_database(pair.item.database), Context()
    schema = database.schema()
    if not fits(schema, context):
        return None
    state: State = {"question": pair.item.question, "schema_prefix": schema_prefix(schema, context)}
    first, second = (
        Candidate(id=place, sql=draft.sql, execution=summarise(database.run(draft.sql, LIMITS)))
        for place, draft in enumerate((pair.one, pair.other), start=1)
    )
    found = preference(model, state, first, second)
    return Choice(pair.item.index, pair.one.right, pair.other.right, found.log_odds)


def summary(choices: Sequence[Choice]) -> dict[str, Any]:
    """How often the right one is chosen where exactly one is right, and how often each of the two is."""
    decided = [one for one in choices if one.one_right != one.other_right]
    found = sum(one.right for one in decided)
    low, high = wilson(found, len(decided))
    return {
        "pairs": len(choices),
        "exactly one right": len(decided),
        "the first is": sum(one.one_right for one in decided),
        "the second is": sum(one.other_right for one in decided),
        "the chosen one is": found,
        "share": round(found / len(decided), 3) if decided else None,
        "interval": [round(low, 3), round(high, 3)],
    }


def main(
    one: Annotated[Path, typer.Argument(help="Store or export.")],
    other: Annotated[Path, typer.Argument(help="Store or export.")],
    model: Annotated[str, typer.Option(help="The selector, as for --model of ask.")],
    dataset: Annotated[str, typer.Option(help="The data set of both.")] = "spider-train",
    run: Annotated[str | None, typer.Option(help="Run of the first file; else its newest.")] = None,
    other_run: Annotated[str | None, typer.Option(help="Run of the second file; else its newest.")] = None,
    rows: Annotated[Path | None, typer.Option(help="File for the choices, a line a pair.")] = None,
) -> None:
    """Print how often the selector chooses the right draft."""
    selector = load_model(model)
    pairs = pairs_of(load(dataset).items, drafts(one, dataset, run), drafts(other, dataset, other_run))
    choices = [choice for pair in pairs if (choice := choose(selector, pair)) is not None]
    if rows is not None:
        rows.write_text("".join(json.dumps(choice._asdict()) + "\n" for choice in choices))
    typer.echo(json.dumps({"model": selector.name, "fingerprint": selector.fingerprint, **summary(choices)}))


if __name__ == "__main__":
    typer.run(main)
