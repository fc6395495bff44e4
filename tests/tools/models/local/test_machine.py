from pathlib import Path

import pytest

from critiql.tools.models.local import machine, weights
from critiql.tools.models.model import ModelError


@pytest.mark.parametrize(
    ("usable", "siblings", "expected"),
    [
        ({0, 1}, {0: "0", 1: "1"}, 2),
        ({0, 1, 2, 3}, {0: "0,2", 1: "1,3", 2: "0,2", 3: "1,3"}, 2),
        ({2, 3}, {2: "0,2", 3: "1,3"}, 2),
        ({0, 1, 2}, {}, 3),
    ],
    ids=["no hyper-threads", "two a core", "a part of the machine", "the system does not tell"],
)
def test_siblings_count_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, usable: set[int], siblings: dict[int, str], expected: int
) -> None:
    for cpu, names in siblings.items():
        (tmp_path / f"cpu{cpu}/topology").mkdir(parents=True)
        (tmp_path / f"cpu{cpu}/topology/thread_siblings_list").write_text(f"{names}\n")
    monkeypatch.setattr(machine, "_TOPOLOGY", tmp_path)
    monkeypatch.setattr(machine, "_usable", lambda: usable)
    assert machine.physical_cores() == expected


def test_memory_is_told_in_bytes() -> None:
    assert 0 < machine.own_memory() < machine.memory()
    assert 0 < machine.free_memory() < machine.memory()


def test_weights_larger_than_the_free_memory_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "large.gguf").write_bytes(b"GGUF" + bytes(100))
    monkeypatch.setattr(weights, "free_memory", lambda: 50)
    with pytest.raises(ModelError, match="smaller model"):
        weights.Weights(tmp_path / "large.gguf")
