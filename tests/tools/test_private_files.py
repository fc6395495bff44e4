"""Caches: for their owner's eyes, made again where damaged, done without where none can be written."""

import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from critiql.agent.context import Context
from critiql.graphs.api import ask
from critiql.tools import private_files
from critiql.tools.database.guard.policy import AccessPolicy
from critiql.tools.database.open import open_database
from critiql.tools.database.sample.build import sample_database
from critiql.tools.linking.value_index import open_value_index
from critiql.tools.linking.value_store import ValueStore
from critiql.tools.models.local.prefix_store import PrefixStore
from critiql.tools.settings import settings

CANARY = "Canaria-denied-71"
QUESTION = "How many items does Alder make?"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(private_files, "_said", set())
    monkeypatch.setenv("CRITIQL_CACHE", str(tmp_path / "cache"))
    settings.cache_clear()
    yield tmp_path / "cache"
    settings.cache_clear()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def ask_once(shop: Path | str, scripted: Callable[..., Any]) -> Any:
    """A question that uses values, prefixes and answers."""
    scripted(["SELECT count(*) FROM item"], [0.9])
    context = Context(model="scripted", llm_critic="raw", show_values=True, answer_cache=True)
    return ask(QUESTION, shop, context=context)


def test_what_is_kept_is_for_its_owner_alone(cache: Path, shop: Path, scripted: Callable[..., Any]) -> None:
    (cache / "values").mkdir(parents=True, mode=0o755)
    assert ask_once(shop, scripted).rows == [[3]]
    PrefixStore(cache / "prefixes", 1000).put("key", b"state")
    files = [path for path in cache.rglob("*") if path.is_file()]
    assert {path.parent.name for path in files} >= {"values", "prefixes", "cache"}
    assert {path: mode(path) for path in files} == dict.fromkeys(files, 0o600)
    folders = [path for path in cache.rglob("*") if path.is_dir()]
    assert {path: mode(path) for path in folders} == dict.fromkeys(folders, 0o700)


def test_a_denied_column_is_never_indexed(cache: Path, tmp_path: Path) -> None:
    path = tmp_path / "people.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE person (name TEXT, card TEXT)")
        connection.execute("INSERT INTO person VALUES ('Ann', ?)", (CANARY,))
        connection.commit()
    seen = {}
    for policy in (AccessPolicy(deny_columns=frozenset({"person.card"})), None):
        database = open_database(path, policy)
        with open_value_index(database) as index:
            index.read_all()
            index.look_up("person", "card")
            assert [match.value for match in index.find("Ann")] == ["Ann"]
            seen[policy is None] = [match.value for match in index.find(CANARY)]
        database.close()
        if policy is not None:
            kept = b"".join(file.read_bytes() for file in cache.rglob("*") if file.is_file())
            assert b"Ann" in kept
            assert CANARY.encode() not in kept
            assert CANARY.casefold().encode() not in kept
    assert seen == {False: [], True: [CANARY]}


@pytest.mark.parametrize("where", ["a file", "nowhere"])
def test_without_a_cache_the_answer_is_the_same(
    where: str,
    shop: Path,
    tmp_path: Path,
    scripted: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A folder that cannot be made; a read-only one says the same, but not to root."""
    (tmp_path / "taken").write_text("")
    place = tmp_path / "taken" / "cache" if where == "a file" else Path("/proc/self/nowhere")
    monkeypatch.setenv("CRITIQL_CACHE", str(place))
    settings.cache_clear()
    for _ in range(2):
        assert ask_once(shop, scripted).rows == [[3]]
    said = [record.getMessage() for record in caplog.records if record.name == "critiql"]
    assert len(said) == len(set(said)) == 2, said
    assert any("values" in line for line in said)
    assert any("answers.sqlite" in line for line in said)


def test_damaged_caches_are_made_again(
    cache: Path, shop: Path, scripted: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    ask_once(shop, scripted)
    for file in (path for path in cache.rglob("*") if path.is_file()):
        file.write_bytes(b"damaged " * 1000)
    for _ in range(2):
        assert ask_once(shop, scripted).rows == [[3]]
    said = [record.getMessage() for record in caplog.records if record.name == "critiql"]
    assert len(said) == 2, said
    assert all("made again" in line for line in said)
    assert ask_once(shop, scripted).stopped == "recalled"


def test_a_disk_that_fills_up_costs_the_index_only(
    shop: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    add = ValueStore.add

    def fail_on_disk(store: ValueStore, *given: Any) -> None:
        if store.path is not None:
            raise sqlite3.OperationalError("database or disk is full")
        add(store, *given)

    monkeypatch.setattr(ValueStore, "add", fail_on_disk)
    database = open_database(shop)
    with open_value_index(database) as index:
        assert index.read_all()
        assert [match.value for match in index.find("alder")] == ["Alder"]
        assert index.distinct("maker", "country") == ("Norway", "Peru")
    database.close()
    assert "disk is full" in caplog.text


@pytest.mark.parametrize("content", [b"", b"garbage " * 500, None], ids=["empty", "garbage", "half"])
def test_a_damaged_sample_database_is_made_again(content: bytes | None) -> None:
    path = sample_database()
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] if content is None else content)
    again = sample_database()
    assert again == path
    assert path.read_bytes() == whole


def test_a_sample_database_that_cannot_be_kept_is_made_for_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "taken").write_text("")
    monkeypatch.setenv("CRITIQL_CACHE", str(tmp_path / "taken" / "cache"))
    settings.cache_clear()
    database = open_database(sample_database())
    assert database.run("SELECT count(*) FROM artists").ok
    database.close()
    assert sample_database().is_file()
    assert len([record for record in caplog.records if record.name == "critiql"]) == 1
