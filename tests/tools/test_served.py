"""What the network may name: what was named at start, under its name or as a run wrote it down."""

from pathlib import Path

import pytest

from critiql.tools.database.engine import DatabaseError
from critiql.tools.database.open import get_database
from critiql.tools.served import Served, names_for, place_of


def test_a_name_and_a_run_s_own_note_of_it(shop: Path) -> None:
    served = Served(databases={"shop": str(shop)})
    assert served.place_of("") == str(shop)
    assert served.place_of("shop") == str(shop)
    assert served.place_of(get_database(shop).url) == str(shop)
    assert served.name_of(get_database(shop).url) == "shop"


@pytest.mark.parametrize("name", ["/etc/passwd", "../shop", "SHOP", "postgresql://elsewhere/x", "x.sqlite"])
def test_nothing_else(shop: Path, name: str) -> None:
    with pytest.raises(DatabaseError, match="There are: shop"):
        Served(databases={"shop": str(shop)}).place_of(name)


@pytest.mark.parametrize("name", ["../shop.sqlite", "a/b.sqlite", ".hidden", ""])
def test_an_uploaded_file_has_a_plain_name(shop: Path, name: str) -> None:
    served = Served(databases={"other": "/nowhere.sqlite"}, uploads=str(shop.parent))
    assert served.place_of("shop.sqlite") == str(shop)
    if name:
        with pytest.raises(DatabaseError):
            served.place_of(name)


def test_who_serves_nobody_takes_any_path() -> None:
    assert place_of("/any/file.sqlite") == "/any/file.sqlite"


def test_names() -> None:
    given = ["shop=/data/one.sqlite", "/data/two.sqlite", "postgresql://u:secret@h/three?a=b"]
    assert names_for(given) == {"shop": "/data/one.sqlite", "two": "/data/two.sqlite", "three": given[2]}
    with pytest.raises(ValueError, match="Two databases are called two"):
        names_for(["/a/two.sqlite", "/b/two.sqlite"])
