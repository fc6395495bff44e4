from pathlib import Path

import pytest

from critiql.tools.models import cores


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
    monkeypatch.setattr(cores, "_TOPOLOGY", tmp_path)
    monkeypatch.setattr(cores, "_usable", lambda: usable)
    assert cores.physical_cores() == expected
