"""What an adapter that acts after the prefix costs: a token of the answer, one of the question, a switch.

`python -m critiql.evals.benchmarks.adapter_cost MODEL+ADAPTER.gguf [--repeats N]` prints one JSON object. The
model with and without the adapter is asked in turn over one prefix. Times are of the processor, summed over
threads, so that other load on the machine counts little; set `CRITIQL_THREADS=1` to have seconds of a core.
"""

import json
import statistics
import time
from collections.abc import Sequence
from typing import Annotated, Any, NamedTuple

import typer

from critiql.agent.calls import SQL_OPENING
from critiql.tools.database.open import open_database
from critiql.tools.database.sample.build import sample_database
from critiql.tools.models.factory import make_model
from critiql.tools.models.local.adapter import split_adapter
from critiql.tools.models.local.model import LocalModel
from critiql.tools.models.model import Prompt, Sampling
from critiql.tools.schema.ddl import ddl

QUESTION = "For each genre, list the name of the longest track, and the album that it is on, longest first."
ANSWER = Sampling(max_tokens=32, stop=("```",))


class Cost(NamedTuple):
    """Processor time of one call."""

    to_first_token: float
    """Seconds, over a prefix that was there."""
    per_token: float
    """Seconds of each further token."""


def ask(model: LocalModel, prompt: Prompt) -> Cost:
    """Ask once; the answer needs more than one token."""
    seen: list[float] = []
    started = time.process_time()
    generation = model.generate(prompt, ANSWER, lambda _: seen.append(time.process_time() - started))
    rest = time.process_time() - started - seen[0]
    return Cost(seen[0], rest / max(1, generation.usage.generated_tokens - 1))


def switch(model: LocalModel, times: int) -> float:
    """Median seconds by the clock to put the adapter on or take it off."""
    cache, seconds = model.runtime._cache, []
    for adapter in (model.chat.adapter, None) * times:
        started = time.perf_counter()
        cache.wear(adapter)
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


def measure(spec: str, repeats: int) -> dict[str, Any]:
    """Ask with and without the adapter in turn.

    Raises:
        ModelError: the model or its adapter is missing or cannot be loaded.
        ValueError: the name has no adapter that acts after the prefix.
    """
    plain, adapted = make_model(split_adapter(spec)[0]), make_model(spec)
    if not (isinstance(plain, LocalModel) and isinstance(adapted, LocalModel) and adapted.chat.adapter):
        raise ValueError(f"{spec} names no adapter that acts after the prefix. Name MODEL+ADAPTER.gguf.")
    database = open_database(sample_database())
    prompt = Prompt(f"You write SQLite.\n{ddl(database.schema())}", QUESTION, SQL_OPENING)
    database.close()
    ask(plain, prompt)
    costs: dict[str, list[Cost]] = {"without": [], "with": []}
    for _ in range(repeats):
        costs["without"].append(ask(plain, prompt))
        costs["with"].append(ask(adapted, prompt))
    medians = {name: _medians(many) for name, many in costs.items()}
    ratios = [medians["with"][field] / medians["without"][field] - 1 for field in Cost._fields]
    more = dict(zip(Cost._fields, (round(ratio, 3) for ratio in ratios), strict=True))
    return {
        "model": spec,
        "repeats": repeats,
        **medians,
        "more": more,
        "switch_milliseconds": round(1000 * switch(adapted, 20), 4),
    }


def main(
    model: Annotated[str, typer.Argument(help="MODEL+ADAPTER.gguf.")],
    repeats: Annotated[int, typer.Option(min=1, help="Rounds with and without.")] = 10,
) -> None:
    """Print the measurements as one JSON object."""
    typer.echo(json.dumps(measure(model, repeats), indent=2))


def _medians(costs: Sequence[Cost]) -> dict[str, float]:
    columns = zip(Cost._fields, zip(*costs, strict=True), strict=True)
    return {name: round(statistics.median(column), 4) for name, column in columns}


if __name__ == "__main__":
    typer.run(main)
