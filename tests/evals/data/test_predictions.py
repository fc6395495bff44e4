"""Another system's queries: three forms of file, and what is refused."""

from pathlib import Path

import pytest

from critiql.evals.data.item import Item
from critiql.evals.data.predictions import read_predictions, with_drafts

FORMS = {
    "p.txt": "SELECT 1\tdb\nSELECT 2\n\n",
    "p.jsonl": '{"index": 1, "sql": "SELECT 2"}\n\n{"index": 0, "sql": "SELECT 1"}\n',
    "p.json": '{"0": "SELECT 1\\t----- bird -----\\tdb", "1": "SELECT 2"}',
}
BROKEN = {
    "text.jsonl": "SELECT 1",
    "list.json": "[1]",
    "nameless.jsonl": '{"sql": "SELECT 1"}',
}


def items(count: int) -> list[Item]:
    return [Item("tiny", index, "db", Path("db.sqlite"), "how many", "SELECT 1") for index in range(count)]


@pytest.mark.parametrize("name", FORMS)
def test_each_form_gives_the_query_of_each_question(name: str, tmp_path: Path) -> None:
    file = tmp_path / name
    file.write_text(FORMS[name])
    found = read_predictions(file)
    assert [item.draft for item in with_drafts(items(2), found)] == ["SELECT 1", "SELECT 2"]
    assert found.label.startswith(f"{name} ")
    with pytest.raises(ValueError, match=r"no query for 1 of 3 questions \(index 2\)"):
        with_drafts(items(3), found)


@pytest.mark.parametrize("name", BROKEN)
def test_what_holds_no_predictions_is_refused(name: str, tmp_path: Path) -> None:
    file = tmp_path / name
    file.write_text(BROKEN[name])
    with pytest.raises(ValueError, match="holds no predictions"):
        read_predictions(file)


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "latin.txt").write_bytes(b"SELECT '\xe9'")
    for name, why in (("latin.txt", "is not UTF-8"), ("nothing.txt", "cannot be read")):
        with pytest.raises(ValueError, match=why):
            read_predictions(tmp_path / name)
