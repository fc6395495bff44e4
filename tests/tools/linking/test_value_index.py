"""The value index: what it knows, when it says that it does not, and how fast it is on a million values."""

import random
import resource
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from critiql.tools.database.content_version import content_version
from critiql.tools.database.engine import Database
from critiql.tools.database.guard.policy import AccessPolicy
from critiql.tools.database.open import open_database
from critiql.tools.linking import value_index
from critiql.tools.linking.value_index import ValueIndex, open_value_index


@pytest.fixture
def index(library: Database, tmp_path: Path) -> Iterator[ValueIndex]:
    with open_value_index(library, tmp_path / "values") as opened:
        yield opened


def file_of(path: Path, script: str) -> Path:
    connection = sqlite3.connect(path)
    connection.executescript(script)
    connection.close()
    return path


def test_look_up_gives_all_distinct_values(index: ValueIndex) -> None:
    found = index.look_up("book", "shelf mark")
    assert found.complete
    assert sorted(map(str, found.values)) == ["A1", "A2", "B2"]
    assert index.look_up("BOOK", "Year").values == (1990, 2001, 2005, 2010)
    assert index.look_up("review", "remark").values == ("cold and good", "long")


def test_distinct_is_none_unless_all_values_are_known(index: ValueIndex) -> None:
    assert index.distinct("publisher", "city") == ("Lima", "Oslo")
    assert index.distinct("publisher", "nosuch") is None
    assert index.distinct("nosuch", "city") is None


def test_a_limit_is_said(index: ValueIndex) -> None:
    found = index.look_up("book", "title", limit=2)
    assert len(found.values) == 2
    assert not found.complete


def test_holds(index: ValueIndex) -> None:
    assert index.holds("country", "continent", "Asia") is True
    assert index.holds("country", "continent", "asia") is False
    assert index.holds("book", "year", 1990) is True
    assert index.holds("nosuch", "x", 1) is None


@pytest.mark.parametrize(
    ("text", "value", "score"),
    [("norway", "Norway", 100.0), ("South  america", "South America", 100.0), ("Norwai", None, 0.0)],
)
def test_search(index: ValueIndex, text: str, value: str | None, score: float) -> None:
    places = [("country", "country_name"), ("country", "continent")]
    found = [match for table, column in places for match in index.search(text, table, column)]
    assert [(match.value, match.score) for match in found] == ([(value, score)] if value else [])


def test_search_finds_slips(index: ValueIndex) -> None:
    assert [match.value for match in index.search("Souht America", "country", "continent")] == [
        "South America"
    ]
    assert [match.value for match in index.search("ida strnd", "author", "name")] == ["Ida Strand"]
    assert index.search("", "author", "name") == []


def test_find_looks_into_every_column_that_was_read(index: ValueIndex) -> None:
    assert index.find("Oslo") == []
    assert index.read_all()
    found = index.find("oslo")
    assert [(match.table, match.column, match.value) for match in found] == [("publisher", "city", "Oslo")]


def test_what_was_read_is_kept(library: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_value_index(library, tmp_path / "v") as first:
        assert first.read_all()
    monkeypatch.setattr(library, "run", lambda *_: pytest.fail("the database was read again"))
    with open_value_index(library, tmp_path / "v") as second:
        assert second.distinct("publisher", "city") == ("Lima", "Oslo")
        assert second.find("Oslo")[0].column == "city"


def test_new_content_is_a_new_index_and_the_old_one_goes(library_file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "v"
    database = open_database(library_file)
    before = content_version(database)
    with open_value_index(database, folder) as index:
        assert index.holds("publisher", "city", "Bergen") is False
    database.close()
    file_of(library_file, "INSERT INTO publisher VALUES (3, 'Fjell', 'Bergen');")
    database = open_database(library_file)
    assert content_version(database) != before
    with open_value_index(database, folder) as index:
        assert index.holds("publisher", "city", "Bergen") is True
        assert len([each for each in folder.iterdir() if each.suffix == ".sqlite"]) == 1
    database.close()


def test_reading_goes_on_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(value_index, "CHUNK", 10)
    rows = ", ".join(f"('value {i:03d}')" for i in range(95))
    path = file_of(tmp_path / "t.sqlite", f"CREATE TABLE t (a TEXT); INSERT INTO t VALUES {rows};")
    database = open_database(path)
    with open_value_index(database, tmp_path / "v") as index:
        part = index.look_up("t", "a", limit=1000, seconds=-1)
        assert (part.values, part.complete) == ((), False)
        assert index.holds("t", "a", "value 001", seconds=-1) is None
        whole = index.look_up("t", "a", limit=1000, seconds=5)
        assert (len(whole.values), whole.complete) == (95, True)
    database.close()


@pytest.mark.parametrize(
    ("script", "complete"),
    [
        ("CREATE TABLE t (a TEXT PRIMARY KEY) WITHOUT ROWID; INSERT INTO t VALUES ('x'), ('y');", True),
        (
            "CREATE TABLE s (a TEXT); INSERT INTO s VALUES ('x'), ('y'); CREATE VIEW t AS SELECT a FROM s;",
            True,
        ),
        ("CREATE TABLE t (rowid TEXT, a TEXT); INSERT INTO t VALUES ('q', 'x'), ('q', 'y');", True),
        ("CREATE TABLE t (a TEXT); INSERT INTO t VALUES ('x'), (zeroblob(3)), ('y');", False),
        ("CREATE TABLE t (a TEXT); INSERT INTO t VALUES ('x'), ('y'), (printf('%.2000c', 'z'));", False),
        ("CREATE TABLE t (a TEXT);", True),
    ],
)
def test_odd_tables(script: str, complete: bool, tmp_path: Path) -> None:
    database = open_database(file_of(tmp_path / "t.sqlite", script))
    with open_value_index(database, tmp_path / "v") as index:
        found = index.look_up("t", "a")
        assert found.complete is complete
        assert "INSERT" not in script or {"x", "y"} <= set(found.values)
    database.close()


def test_a_hidden_column_stays_hidden_in_a_shared_index(library_file: Path, tmp_path: Path) -> None:
    database = open_database(library_file)
    with open_value_index(database, tmp_path / "v") as index:
        index.read_all()
    database.close()
    guarded = open_database(library_file, AccessPolicy(deny_columns=frozenset({"publisher.city"})))
    with open_value_index(guarded, tmp_path / "v") as index:
        assert index.distinct("publisher", "city") is None
        assert index.search("Oslo", "publisher", "city") == []
        assert index.find("Oslo") == []
    guarded.close()


@pytest.mark.slow
def test_a_million_values(tmp_path: Path) -> None:
    """Every look-up takes under 50 ms of processor time, and memory stays bounded while reading."""
    draw = random.Random(1)
    syllables = [one + other for one in "bdfgklmnprst" for other in "aeiou"]
    names: set[str] = set()
    while len(names) < 1_000_000:
        names.add("".join(draw.choices(syllables, k=4)) + " " + "".join(draw.choices(syllables, k=3)))
    path = tmp_path / "big.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE person (name TEXT)")
    connection.executemany("INSERT INTO person VALUES (?)", ((name,) for name in names))
    connection.commit()
    connection.close()
    database = open_database(path)
    with open_value_index(database, tmp_path / "v") as index:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        while index.holds("person", "name", "nobody", seconds=30) is None:
            pass
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kB
        some = draw.sample(sorted(names), 100)
        slips = [name[:5] + "o" + name[6:] for name in some]
        spent, found = [], 0
        for name, slip in zip(some, slips, strict=True):
            start = time.process_time()
            assert index.holds("person", "name", name)
            middle = time.process_time()
            matches = index.search(slip, "person", "name")
            spent += [middle - start, time.process_time() - middle]
            found += any(match.value == name for match in matches)
        assert sorted(spent)[int(0.99 * len(spent))] < 0.05
        assert found >= 95
    database.close()
