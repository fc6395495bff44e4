from collections.abc import Iterator
from pathlib import Path

import pytest

from critiql.tools.models.files.partial import Partial
from critiql.tools.models.files.registry import registry
from critiql.tools.models.files.store import remove, resolve, stored_file, verify
from critiql.tools.models.model import ModelError
from critiql.tools.settings import settings

RECORD = registry().get("smollm2-135m-instruct")


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("CRITIQL_MODELS", str(tmp_path))
    settings.cache_clear()
    yield tmp_path
    settings.cache_clear()


def test_a_given_file_is_taken_as_it_is(tmp_path: Path) -> None:
    mine = tmp_path / "Mine.GGUF"
    mine.touch()
    assert resolve(str(mine)) == mine


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("nowhere/mine.gguf", "no model file nowhere/mine.gguf"),
        ("gpt-2", "no model called 'gpt-2'. Known names: .*smollm2-135m-instruct"),
        (RECORD.name, "critiql models pull smollm2-135m-instruct"),
        (RECORD.name.upper(), "critiql models pull smollm2-135m-instruct"),
    ],
)
def test_a_model_that_is_not_here_says_what_to_do(name: str, says: str) -> None:
    with pytest.raises(ModelError, match=says):
        resolve(name)


def test_an_incomplete_file_is_refused() -> None:
    stored_file(RECORD).write_bytes(b"GGUF")
    with pytest.raises(ModelError, match="4 bytes instead of 98,362,432"):
        resolve(RECORD.name)


def test_a_file_of_another_hash_is_refused() -> None:
    with stored_file(RECORD).open("wb") as file:
        file.truncate(RECORD.size)
    with pytest.raises(ModelError, match="SHA-256"):
        verify(RECORD)


def test_remove_leaves_nothing_and_says_whether_there_was_something(tmp_path: Path) -> None:
    assert not remove(RECORD)
    stored_file(RECORD).touch()
    list(Partial(stored_file(RECORD)).append([b"x"], at=0))
    assert remove(RECORD)
    assert list(tmp_path.iterdir()) == []
