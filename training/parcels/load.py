"""What is carried to the other machine besides the model: each role's examples as tokens, and what to do."""

import gzip
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from critiql.training.adapters.suffix_examples import SuffixExample
from critiql.training.parcels.cut_model import renumbered
from critiql.training.parcels.pieces import Piece, digest

MANIFEST = "manifest.json"
MODEL = "model.gguf"


class RoleLoad(NamedTuple):
    """One role's examples, and where they are."""

    role: str
    file: str
    sha256: str
    examples: int
    invocation: tuple[int, ...]
    """In the whole model's numbers: the adapter's file names them."""
    data_sha256: str
    """Of the training set that the examples come from."""


class Manifest(NamedTuple):
    """All that is carried."""

    model: str
    """File name of the model that the adapters are for."""
    fingerprint: str
    tokens: int
    """Embeddings that the carried model has."""
    pieces: tuple[Piece, ...]
    """Of the model."""
    roles: tuple[RoleLoad, ...]


class RoleExamples(NamedTuple):
    """Examples of one role, of both parts."""

    train: list[SuffixExample]
    held: list[SuffixExample]


def write_examples(examples: RoleExamples, numbers: Mapping[int, int], path: Path) -> str:
    """Write examples by their new numbers, each prefix once; the file's hash."""
    prefixes = sorted({one.prefix for part in examples for one in part})
    place = {prefix: number for number, prefix in enumerate(prefixes)}
    content = {
        "prefixes": [renumbered(prefix, numbers) for prefix in prefixes],
        **{
            part: [
                (place[one.prefix], renumbered(one.suffix, numbers), renumbered(one.answer, numbers))
                for one in some
            ]
            for part, some in examples._asdict().items()
        },
    }
    path.write_bytes(gzip.compress(json.dumps(content).encode(), mtime=0))
    return digest(path)


def read_examples(load: RoleLoad, folder: Path) -> RoleExamples:
    """The examples of a role.

    Raises:
        ValueError: the file is missing, or is not what was sent.
    """
    path = folder / load.file
    if not path.is_file() or digest(path) != load.sha256:
        raise ValueError(f"{load.file} in {folder} is missing or damaged. Carry it there again.")
    content = json.loads(gzip.decompress(path.read_bytes()))
    prefixes = [tuple(prefix) for prefix in content["prefixes"]]
    return RoleExamples(*(_examples(content[part], prefixes) for part in RoleExamples._fields))


def write_manifest(manifest: Manifest, folder: Path) -> None:
    """Write what is carried, last of all."""
    plain = manifest._asdict() | {
        "pieces": [one._asdict() for one in manifest.pieces],
        "roles": [one._asdict() for one in manifest.roles],
    }
    (folder / MANIFEST).write_text(json.dumps(plain, indent=1) + "\n")


def read_manifest(folder: Path) -> Manifest:
    """What is carried.

    Raises:
        ValueError: there is none.
    """
    try:
        plain = json.loads((folder / MANIFEST).read_text())
    except OSError as error:
        raise ValueError(f"{folder} has no {MANIFEST}. Name the folder of critiql train pack.") from error
    plain["pieces"] = tuple(Piece(**one) for one in plain["pieces"])
    plain["roles"] = tuple(
        RoleLoad(**one | {"invocation": tuple(one["invocation"])}) for one in plain["roles"]
    )
    return Manifest(**plain)


def _examples(plain: Sequence[Any], prefixes: Sequence[tuple[int, ...]]) -> list[SuffixExample]:
    return [SuffixExample(prefixes[place], tuple(suffix), tuple(answer)) for place, suffix, answer in plain]
