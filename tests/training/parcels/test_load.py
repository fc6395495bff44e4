"""What is carried besides the model: written and read again it is the same, by other numbers."""

from pathlib import Path

import pytest

from critiql.training.adapters.suffix_examples import SuffixExample
from critiql.training.parcels.load import (
    Manifest,
    RoleExamples,
    RoleLoad,
    read_examples,
    read_manifest,
    write_examples,
    write_manifest,
)
from critiql.training.parcels.pieces import Piece

NUMBERS = {token: token - 10 for token in range(10, 50)}
TRAIN = [SuffixExample((10, 11), (20, 21), (30,)), SuffixExample((12,), (22,), (31, 32))]
HELD = [SuffixExample((13, 14), (23,), (33,))]


def load(sha256: str) -> RoleLoad:
    return RoleLoad("actor", "actor.json.gz", sha256, len(TRAIN), (20,), "of the data")


def test_examples_come_back_by_their_new_numbers(tmp_path: Path) -> None:
    written = write_examples(RoleExamples(TRAIN, HELD), NUMBERS, tmp_path / "actor.json.gz")
    assert written == write_examples(RoleExamples(TRAIN, HELD), NUMBERS, tmp_path / "actor.json.gz")
    train, held = read_examples(load(written), tmp_path)
    assert train == [SuffixExample((0, 1), (10, 11), (20,)), SuffixExample((2,), (12,), (21, 22))]
    assert held == [SuffixExample((3, 4), (13,), (23,))]
    with pytest.raises(ValueError, match=r"actor\.json\.gz in .* is missing or damaged"):
        read_examples(load("another"), tmp_path)


def test_a_manifest_comes_back_as_it_was(tmp_path: Path) -> None:
    manifest = Manifest("base.gguf", "f00d", 12, (Piece("model.gguf.00", "aa"),), (load("bb"),))
    write_manifest(manifest, tmp_path)
    assert read_manifest(tmp_path) == manifest
    with pytest.raises(ValueError, match=r"has no manifest\.json"):
        read_manifest(tmp_path / "elsewhere")
