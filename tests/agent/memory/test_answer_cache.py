"""The file of remembered answers: bounded, shared, its owner's alone, and never trusted when damaged."""

import random
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from critiql.agent.memory import answer_cache
from critiql.agent.memory.answer_cache import Chosen, forget, path_of_cache, recall, remember

CHOSEN = Chosen(sql="SELECT 1", origin="repair", p_true=0.25, verdict="accepted", confidence=0.5)


def test_what_is_remembered_is_recalled_until_it_is_forgotten() -> None:
    assert recall("a") is None
    remember("a", CHOSEN)
    remember("b", CHOSEN.model_copy(update={"sql": "SELECT 2", "p_true": None}))
    remember("a", CHOSEN.model_copy(update={"sql": "SELECT 3"}))
    assert recall("a") == CHOSEN.model_copy(update={"sql": "SELECT 3"})
    forget("a")
    assert recall("a") is None
    assert recall("b") == CHOSEN.model_copy(update={"sql": "SELECT 2", "p_true": None})


def test_only_its_owner_may_read_it() -> None:
    remember("a", CHOSEN)
    assert stat.S_IMODE(path_of_cache().stat().st_mode) == 0o600


def test_the_oldest_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer_cache, "MOST", 3)
    for key in "abcad":
        remember(key, CHOSEN)
    assert [key for key in "abcd" if recall(key)] == ["a", "c", "d"]


def garbage(path: Path, dice: random.Random) -> None:
    path.write_bytes(dice.randbytes(5000))


def cut(path: Path, dice: random.Random) -> None:
    path.write_bytes(path.read_bytes()[: dice.randrange(1, path.stat().st_size)])


def flipped(path: Path, dice: random.Random) -> None:
    content = bytearray(path.read_bytes())
    for _ in range(40):
        content[dice.randrange(len(content))] ^= 1 << dice.randrange(8)
    path.write_bytes(content)


@pytest.mark.parametrize("damage", [garbage, cut, flipped])
def test_a_damaged_file_says_nothing_wrong_and_is_made_anew(
    damage: Callable[[Path, random.Random], None],
) -> None:
    for number in range(30):
        remember(f"{number}", CHOSEN.model_copy(update={"sql": f"SELECT {number}"}))
    whole = path_of_cache().read_bytes()
    for seed in range(30):
        path_of_cache().write_bytes(whole)
        damage(path_of_cache(), random.Random(seed))
        for number in range(30):
            known = recall(f"{number}")
            assert known is None or known.sql == f"SELECT {number}"
    garbage(path_of_cache(), random.Random(0))
    remember("a", CHOSEN)
    assert recall("a") == CHOSEN


def test_an_entry_of_another_shape_is_unknown() -> None:
    remember("a", CHOSEN)
    text = '{"sql": "SELECT 1"}'
    with sqlite3.connect(path_of_cache()) as db:
        db.execute("UPDATE answer SET chosen = ?, seal = ?", (text, answer_cache._seal("a", text)))
    db.close()
    assert recall("a") is None


def test_where_nothing_can_be_written_nothing_is_remembered() -> None:
    path_of_cache().mkdir(parents=True)
    remember("a", CHOSEN)
    forget("a")
    assert recall("a") is None


def test_a_file_in_use_is_waited_for_and_not_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    remember("a", CHOSEN)
    monkeypatch.setattr(answer_cache, "PATIENCE", 0.05)
    other = sqlite3.connect(path_of_cache(), isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    remember("b", CHOSEN)
    assert recall("a") is None
    other.execute("COMMIT")
    other.close()
    assert recall("a") == CHOSEN
    assert recall("b") is None


WRITER = """
import sys
from critiql.agent.memory.answer_cache import Chosen, remember
for number in range(100):
    remember(f"{sys.argv[1]} {number}", Chosen(
        sql=f"SELECT {number}", origin="actor", p_true=None, verdict="unknown", confidence=None))
"""


@pytest.mark.process
def test_two_processes_write_at_once() -> None:
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, name]) for name in ("one", "two")]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    found = [recall(f"{name} {number}") for name in ("one", "two") for number in range(100)]
    assert [each and each.sql for each in found] == [f"SELECT {number}" for number in range(100)] * 2
