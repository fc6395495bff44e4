"""A smaller file of a base model: every block in Q4_K, or an output layer of the commonest tokens alone.

Run as `python -m critiql.evals.studies.smaller_base pure|cut FILE OUT`, then measure OUT as any model:
`critiql eval run spider-train-300 --model OUT`. `... time FILE OUT ...` asks each in turn and prints one JSON
object: seconds of the processor for a token that is read, and for one that is written.
"""

import ctypes
import json
import statistics
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from gguf import GGUFReader, Keys

from critiql.agent.calls import SQL_OPENING
from critiql.tools.database.open import get_database
from critiql.tools.database.sample.build import sample_database
from critiql.tools.models.factory import make_model
from critiql.tools.models.files.gguf_copy import fields_of, write_copy
from critiql.tools.models.model import LanguageModel, Prompt, Sampling
from critiql.tools.schema.ddl import ddl

BYTES = 256
"""The first tokens of a byte-pair vocabulary; token 256 + n is what the n-th merge makes."""
QUESTION = "For each genre, list the name of the longest track, and the album that it is on, longest first."
ANSWER = Sampling(max_tokens=32, stop=("```",))
app = typer.Typer(add_completion=False, help="Make a smaller file of a base model, and time it.")


@app.command("pure")
def make_pure(file: Path, out: Path) -> None:
    """Write the model with all its matrices in Q4_K, from what its file holds."""
    import llama_cpp

    plan = llama_cpp.llama_model_quantize_default_params()
    plan.ftype = llama_cpp.LLAMA_FTYPE_MOSTLY_Q4_K_S
    plan.pure, plan.allow_requantize = True, True
    if llama_cpp.llama_model_quantize(str(file).encode(), str(out).encode(), ctypes.pointer(plan)):
        raise typer.BadParameter(f"{file} cannot be quantized anew.")


@app.command("cut")
def make_cut(
    file: Path,
    out: Path,
    tokens: Annotated[int, typer.Option(min=BYTES, help="Tokens of text to keep.")] = 32000,
) -> None:
    """Write the model with its commonest tokens alone; rarer words are written in smaller pieces."""
    reader = GGUFReader(file)
    if not in_order_of_merges(reader):
        raise typer.BadParameter(
            f"The tokens of {file} are not in the order of their merges, so none can be cut."
        )
    rows = kept_tokens(reader.fields[Keys.Tokenizer.TOKEN_TYPE].contents(), tokens)
    fields = fields_of(reader)
    changed = {
        key: fields[key]._replace(value=value) for key, value in cut_fields(reader, rows, tokens).items()
    }
    write_copy(reader, fields | changed, rows, out)


def in_order_of_merges(reader: GGUFReader) -> bool:
    """Whether each token after the bytes is what the merge of its place makes: a beginning is whole then."""
    names = (Keys.Tokenizer.LIST, Keys.Tokenizer.MERGES)
    if any(name not in reader.fields for name in names):
        return False
    listed, merges = (reader.fields[name].contents() for name in names)
    made = ("".join(merge.split(" ")) for merge in merges)
    return all(token == text for token, text in zip(listed[BYTES:], made, strict=False))


def kept_tokens(types: Sequence[int], tokens: int) -> list[int]:
    """The first tokens of text, which the commonest merges make, and all that are no text but have a use."""
    used = (3, 4)  # control and user-defined; 5 fills the vocabulary up
    return [number for number, kind in enumerate(types) if number < tokens or kind in used]


def cut_fields(reader: GGUFReader, rows: Sequence[int], tokens: int) -> dict[str, Any]:
    """What the file says of its vocabulary, for these tokens alone."""
    number = {old: new for new, old in enumerate(rows)}
    changed: dict[str, Any] = {}
    for key in (Keys.Tokenizer.LIST, Keys.Tokenizer.TOKEN_TYPE):
        whole = reader.fields[key].contents()  # read anew by each call
        changed[key] = [whole[row] for row in rows]
    changed[Keys.Tokenizer.MERGES] = reader.fields[Keys.Tokenizer.MERGES].contents()[: tokens - BYTES]
    for key in (Keys.Tokenizer.EOS_ID, Keys.Tokenizer.PAD_ID, Keys.Tokenizer.BOS_ID):
        if key in reader.fields:
            changed[key] = number[reader.fields[key].contents()]
    return changed


@app.command("time")
def time_models(files: list[str], rounds: Annotated[int, typer.Option(min=1)] = 5) -> None:
    """Ask each model in turn, and print its medians and their ratios to the first model's."""
    models = {file: make_model(file) for file in files}
    costs: dict[str, list[tuple[float, float]]] = {file: [] for file in files}
    for number, prompt in enumerate(_prompts(rounds + 1)):
        for file, model in models.items():
            cost = ask(model, prompt)
            if number:  # the first one warms up
                costs[file].append(cost)
    typer.echo(json.dumps(summarise(costs), indent=2))


def _prompts(many: int) -> Iterator[Prompt]:
    """Prompts on one schema that share no state, since each begins otherwise."""
    text = ddl(get_database(sample_database()).schema())
    for number in range(many):
        yield Prompt(f"{number}. You write SQLite.\n{text}", QUESTION, SQL_OPENING)


def ask(model: LanguageModel, prompt: Prompt) -> tuple[float, float]:
    """Processor seconds for a token that is read, and for one that is written after the first."""
    seen: list[float] = []
    started = time.process_time()
    usage = model.generate(prompt, ANSWER, lambda _: seen.append(time.process_time() - started)).usage
    rest = time.process_time() - started - seen[0]
    read = usage.prompt_tokens - usage.cached_tokens
    return seen[0] / read, rest / max(1, usage.generated_tokens - 1)


def summarise(costs: dict[str, list[tuple[float, float]]]) -> dict[str, Any]:
    """Medians in milliseconds, and the median of each round's ratio to the first model."""
    first = next(iter(costs.values()))
    return {
        name: {
            part: {
                "ms": round(1000 * statistics.median(one[place] for one in found), 1),
                "ratio": round(
                    statistics.median(a[place] / b[place] for a, b in zip(found, first, strict=True)), 3
                ),
            }
            for place, part in enumerate(("read", "written"))
        }
        for name, found in costs.items()
    }


if __name__ == "__main__":
    app()
