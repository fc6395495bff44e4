"""Opening by path or URL, and the process-wide cache."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from targets import attacked_duckdb

from critiql.tools.database import open as opening
from critiql.tools.database.engine import DatabaseError
from critiql.tools.database.open import close_databases, get_database, open_database
from critiql.tools.database.server_url import read_url
from critiql.tools.database.sqlite.open import SqliteDatabase


@pytest.fixture(autouse=True)
def closed_afterwards() -> Iterator[None]:
    yield
    close_databases()


def test_path_string_and_url_name_the_same_file(
    build: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = build(name="odd ?#%20 name.db")
    monkeypatch.chdir(path.parent)
    urls = (f"sqlite:///{path}", f"sqlite:///{path.name}", f"sqlite+pysqlite:///{path}")
    for url in (path, str(path), path.name, *urls):
        database = open_database(url)
        assert database.url == f"sqlite:///{path}"
        assert database.run("SELECT count(*) FROM a").ok
        database.close()


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("oracle://host/db", "No engine is known for oracle"),
        ("", "No database was named"),
        ("  ", "No database was named"),
        ("nowhere.sqlite", "There is no file"),
        ("a\0b", "There is no file"),
        ("x" * 5000, "cannot be read"),
    ],
)
def test_what_cannot_be_opened_says_why(url: str, says: str) -> None:
    with pytest.raises(DatabaseError, match=says):
        open_database(url)


def test_urls_as_sqlalchemy_writes_them(build: Callable[..., Path], tmp_path: Path) -> None:
    urls = pytest.importorskip("sqlalchemy.engine")
    path = build()
    targets = {"sqlite": path, "sqlite+pysqlite": path, "duckdb": attacked_duckdb(tmp_path)}
    for driver, file in targets.items():
        url = urls.URL.create(driver, database=str(file))
        database = open_database(url.render_as_string(hide_password=False))
        assert database.run("SELECT 1").ok
        database.close()
    server = urls.URL.create(
        "postgresql+psycopg", "me", "p@ss/w:rd", "::1", 5433, "shop", {"sslmode": "require"}
    )
    found = read_url(server.render_as_string(hide_password=False))
    assert found[:-1] == ("postgresql", "me", "p@ss/w:rd", "::1", 5433, "shop")
    assert found.parameters == {"sslmode": "require"}
    assert found.shown == "postgresql://me@[::1]:5433/shop"


def test_a_missing_driver_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(opening.OPENERS, "mysql", "critiql.tools.database.no_such_engine:open_it")
    with pytest.raises(DatabaseError, match=r"pip install 'critiql\[mysql\]'"):
        open_database("mysql+pymysql://user:secret@host/db")


def test_the_cache_keeps_one_and_closes_the_least_recently_used(
    build: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "KEPT", 2)
    paths = [build(name=f"{number}.db") for number in range(3)]
    first = get_database(paths[0])
    assert get_database(paths[0]) is first
    get_database(paths[1])
    get_database(paths[0])
    get_database(paths[2])
    assert get_database(paths[0]) is first
    assert isinstance(first, SqliteDatabase)
    assert first.pool.pids()
    second = get_database(paths[1])
    assert second.run("SELECT 1").ok
    assert first.run("SELECT 1").ok


def test_a_path_and_the_name_of_what_it_opened_are_one(
    build: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = build()
    found = get_database(path)
    monkeypatch.chdir(path.parent)
    assert {id(get_database(name)) for name in (str(path), path.name, found.url)} == {id(found)}


def test_the_cache_under_threads_opens_once(build: Callable[..., Path]) -> None:
    path, found = build(), []
    threads = [threading.Thread(target=lambda: found.append(get_database(path))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(database) for database in found}) == 1
