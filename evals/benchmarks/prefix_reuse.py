"""What a question costs on a schema the model has not seen, has just seen, or saw in an earlier process.

`python -m critiql.evals.benchmarks.prefix_reuse [--model NAME] [--repeats N]` prints one JSON object. Each
repeat asks the three in turn, so that other load on the machine meets all of them alike. Seconds are to the
first token, and to the end of an answer of at most 24 tokens; loading the model is not in them.
"""

import json
import platform
import statistics
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer

from critiql.tools.database.open import open_database
from critiql.tools.database.sample.build import sample_database
from critiql.tools.models.files.registry import registry
from critiql.tools.models.files.store import resolve
from critiql.tools.models.local.model import LocalModel
from critiql.tools.models.local.prefix_store import PrefixStore
from critiql.tools.models.local.runtime import LlamaRuntime
from critiql.tools.models.model import Prompt, Sampling
from critiql.tools.schema.ddl import ddl

QUESTIONS = ("How many customers are there?", "Which five albums cost most?", "List the genres by name.")
ANSWER = Sampling(max_tokens=24, stop=("```",))


@dataclass(frozen=True)
class Answered:
    """What one question cost."""

    first_token: float
    """Seconds until the first token."""
    total: float
    """Seconds until the end."""
    cached_tokens: int
    prompt_tokens: int


def ask(model: LocalModel, schema: str, question: str) -> Answered:
    """Ask one question and time it."""
    started = time.perf_counter()
    seen: list[float] = []
    prompt = Prompt(f"You write SQLite.\n{schema}", question, "```sql\n")
    generation = model.generate(prompt, ANSWER, lambda _: seen.append(time.perf_counter() - started))
    total = time.perf_counter() - started
    usage = generation.usage
    return Answered(seen[0] if seen else total, total, usage.cached_tokens, usage.prompt_tokens)


def measure(spec: str, repeats: int) -> dict[str, list[Answered]]:
    """Ask cold, warm, and with the prefix on disk only; `repeats` times each.

    Raises:
        ModelError: the model is missing or cannot be loaded.
    """
    with TemporaryDirectory() as folder:
        seen: dict[str, list[Answered]] = {"cold": [], "warm": [], "from_disk": []}
        with closing(open_database(sample_database())) as database:
            schema = ddl(database.schema())
        for repeat in range(repeats):
            one, other, third = (QUESTIONS[(repeat + place) % len(QUESTIONS)] for place in range(3))
            kept = Path(folder) / str(repeat)
            first = _fresh(spec, kept)
            seen["cold"].append(ask(first, schema, one))
            seen["warm"].append(ask(first, schema, other))
            first.runtime.close()
            next_process = _fresh(spec, kept)
            seen["from_disk"].append(ask(next_process, schema, third))
            next_process.runtime.close()
    return seen


def report(spec: str, seen: dict[str, list[Answered]]) -> dict[str, Any]:
    """Medians of the measurements, and how many times faster than cold."""
    cold = _median([answered.first_token for answered in seen["cold"]])
    return {
        "model": spec,
        "machine": platform.processor() or platform.machine(),
        "repeats": len(seen["cold"]),
        "prompt_tokens": seen["cold"][0].prompt_tokens,
        **{
            way: {
                "first_token_seconds": _median([answered.first_token for answered in many]),
                "total_seconds": _median([answered.total for answered in many]),
                "cached_tokens": min(answered.cached_tokens for answered in many),
                "times_faster": round(cold / _median([answered.first_token for answered in many]), 1),
            }
            for way, many in seen.items()
        },
    }


def main(
    model: Annotated[str, typer.Option(help="A registered name or a .gguf file.")] = "",
    repeats: Annotated[int, typer.Option(min=1, help="Rounds of cold, warm and from disk.")] = 5,
) -> None:
    """Print the measurements as one JSON object."""
    spec = model or registry().default
    typer.echo(json.dumps(report(spec, measure(spec, repeats)), indent=2))


def _fresh(spec: str, kept: Path) -> LocalModel:
    """The model as a new process has it: nothing in its cache, only the folder of prefixes."""
    return LocalModel(spec, LlamaRuntime(resolve(spec), prefixes=PrefixStore(kept, 2**30)))


def _median(seconds: Sequence[float]) -> float:
    return round(statistics.median(seconds), 3)


if __name__ == "__main__":
    typer.run(main)
