"""LookUp gives every value of a column, or nothing."""

from critiql.tools.database.engine import Database
from critiql.tools.database.result import Limits
from critiql.tools.errors.lookup import DatabaseValues


def test_all_distinct_values(library: Database) -> None:
    found = DatabaseValues(library).distinct("MEMBER", "status")
    assert sorted(map(str, found or ())) == ["active", "closed", "paused"]


def test_a_column_read_in_part_is_not_known(library: Database) -> None:
    assert DatabaseValues(library, Limits(rows=2)).distinct("member", "status") is None


def test_what_cannot_be_read_is_not_known(library: Database) -> None:
    assert DatabaseValues(library).distinct("member", "nothing") is None
    assert DatabaseValues(library).distinct("nothing", "status") is None


def test_a_column_is_read_once(library: Database) -> None:
    values = DatabaseValues(library)
    assert values.distinct("member", "city") is values.distinct("Member", "CITY")


def test_what_stands_beside_a_text(library: Database) -> None:
    values = DatabaseValues(library)
    assert values.beside("branch", "id", "name", "Harbour") == (2,)
    assert sorted(map(int, values.beside("branch", "id", "city", "Oslo") or ())) == [1, 3]
    assert values.beside("branch", "id", "name", "Nobody's") == ()
    assert values.beside("branch", "nothing", "name", "Harbour") is None
