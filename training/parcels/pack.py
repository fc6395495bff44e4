"""Before: the examples of each role as tokens, the model with their embeddings alone, all in small pieces."""

from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path

from critiql.tools.models.local.model import LocalModel
from critiql.training.adapters.suffix_adapter import in_tokens
from critiql.training.adapters.suffix_examples import common_start
from critiql.training.data.example_file import Row, read_rows
from critiql.training.parcels.cut_model import cut_model, vocabulary_of
from critiql.training.parcels.load import (
    MODEL,
    Manifest,
    RoleExamples,
    RoleLoad,
    write_examples,
    write_manifest,
)
from critiql.training.parcels.pieces import digest, split


def pack(data: Sequence[Path], model: LocalModel, size: int, out: Path) -> Manifest:
    """Write what is carried to the other machine.

    Args:
        data: training sets, each of one role, in the order in which they are fitted.
        model: the model that the adapters are for.
        size: most bytes of a piece of the model.
        out: the folder to write.

    Raises:
        ValueError: a set is empty, has no part that validates, or two are of one role.
    """
    sets = {_role(path, rows := read_rows(path)): (path, rows) for path in data}
    if len(sets) < len(data):
        raise ValueError("Two of the sets are for the same role. Name one for each role.")
    examples = {
        role: RoleExamples(*(in_tokens(rows, part, model) for part in ("train", "validation")))
        for role, (_, rows) in sets.items()
    }
    every = [one for some in examples.values() for part in some for one in part]
    vocabulary = vocabulary_of(chain.from_iterable(every))
    out.mkdir(parents=True, exist_ok=True)
    path = model.runtime.weights.path
    cut_model(path, vocabulary, out / MODEL)
    pieces = split(out / MODEL, size, out)
    (out / MODEL).unlink()
    numbers = {token: number for number, token in enumerate(vocabulary)}
    roles = [_load(role, sets[role][0], some, numbers, out) for role, some in examples.items()]
    manifest = Manifest(path.name, model.fingerprint, len(vocabulary), tuple(pieces), tuple(roles))
    write_manifest(manifest, out)
    return manifest


def _role(path: Path, rows: Sequence[Row]) -> str:
    tasks = {row["task"] for row in rows}
    if len(tasks) != 1 or {row["part"] for row in rows} != {"train", "validation"}:
        raise ValueError(f"{path} is no set of one role with a part that trains and one that validates.")
    return str(tasks.pop())


def _load(role: str, data: Path, examples: RoleExamples, numbers: Mapping[int, int], out: Path) -> RoleLoad:
    file = f"{role}.json.gz"
    written = write_examples(examples, numbers, out / file)
    invocation = common_start([one.suffix for part in examples for one in part])
    return RoleLoad(role, file, written, len(examples.train), invocation, digest(data))
