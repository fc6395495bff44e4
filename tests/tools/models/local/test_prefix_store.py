import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from critiql.tools.models.local.prefix_store import PrefixStore, prefix_key

STATE = b"state" * 1000
KEY = prefix_key("model", "context", [1, 2, 3])


def store(folder: Path | None, disk_bytes: int = 10**6, memory_bytes: int = 10**6) -> PrefixStore:
    return PrefixStore(folder, disk_bytes, memory_bytes)


def test_a_state_outlives_its_store(tmp_path: Path) -> None:
    store(tmp_path).put(KEY, STATE)
    assert store(tmp_path).get(KEY) == STATE


def test_an_unknown_key_has_no_state(tmp_path: Path) -> None:
    assert store(tmp_path / "missing").get(KEY) is None
    assert store(None).get(KEY) is None


def test_without_a_folder_states_stay_in_memory() -> None:
    kept = store(None)
    kept.put(KEY, STATE)
    assert kept.get(KEY) == STATE


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:-1],
        lambda content: content[:-1] + b"\x00",
        lambda content: b"GGSQ" + content,
        lambda content: b"",
        lambda content: content[:20],
    ],
    ids=["truncated", "one byte changed", "foreign", "empty", "header only"],
)
def test_a_damaged_file_is_ignored_and_removed(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    store(tmp_path).put(KEY, STATE)
    (file,) = tmp_path.iterdir()
    file.write_bytes(damage(file.read_bytes()))
    assert store(tmp_path).get(KEY) is None
    assert not file.exists()


def test_a_file_under_another_key_is_ignored(tmp_path: Path) -> None:
    store(tmp_path).put(KEY, STATE)
    other = prefix_key("model", "context", [1, 2, 4])
    (tmp_path / f"{KEY}.prefix").rename(tmp_path / f"{other}.prefix")
    assert store(tmp_path).get(other) is None


def test_the_folder_stays_within_its_bound_and_the_least_recently_used_goes(tmp_path: Path) -> None:
    kept = store(tmp_path, disk_bytes=3 * len(STATE))
    for age, key in [(300, "a"), (200, "b")]:
        kept.put(key, STATE)
        os.utime(tmp_path / f"{key}.prefix", (1e9 - age, 1e9 - age))
    store(tmp_path).get("a")
    kept.put("c", STATE)
    assert {file.stem for file in tmp_path.iterdir()} == {"a", "c"}


def test_a_state_larger_than_the_bound_is_not_written(tmp_path: Path) -> None:
    kept = store(tmp_path, disk_bytes=10)
    kept.put(KEY, STATE)
    assert list(tmp_path.iterdir()) == []
    assert kept.get(KEY) == STATE


def test_memory_holds_the_last_states_within_its_bound() -> None:
    kept = store(None, memory_bytes=2 * len(STATE))
    kept.put("a", STATE)
    kept.put("b", STATE)
    kept.get("a")
    kept.put("c", STATE)
    assert [kept.get(key) is not None for key in "abc"] == [True, False, True]


def test_a_folder_that_cannot_be_written_costs_only_the_reuse(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    kept = store(tmp_path / "file" / "prefixes")
    kept.put(KEY, STATE)
    assert kept.get(KEY) == STATE


def test_a_discarded_state_is_gone(tmp_path: Path) -> None:
    kept = store(tmp_path)
    kept.put(KEY, STATE)
    kept.discard(KEY)
    assert kept.get(KEY) is None


WRITER = """
import sys
from collections.abc import Callable
from pathlib import Path
from critiql.tools.models.local.prefix_store import PrefixStore
store = PrefixStore(Path(sys.argv[1]), 400_000, 1)
for round in range(60):
    for key in "abcdef":
        state = store.get(key)
        assert state in (None, key.encode() * 100_000), "a torn state"
        store.put(key, key.encode() * 100_000)
"""


@pytest.mark.process
def test_two_processes_share_a_folder(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    running = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(2)]
    for process in running:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors.decode()
    files = list(tmp_path.iterdir())
    assert all(file.suffix == ".prefix" for file in files)
    assert sum(file.stat().st_size for file in files) <= 400_000


@pytest.mark.parametrize(
    "other", [("model2", "context", [1]), ("model", "c2", [1]), ("model", "context", [2])]
)
def test_the_key_depends_on_model_context_and_tokens(other: tuple[str, str, list[int]]) -> None:
    assert prefix_key("model", "context", [1]) != prefix_key(*other)
