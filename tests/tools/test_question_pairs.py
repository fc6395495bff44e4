"""Files of verified pairs: what is read, and what is said of one that cannot be."""

import json
from pathlib import Path
from typing import Any

import pytest

from critiql.tools.question_pairs import Pair, PairsError, read_pairs

CASES = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "fixtures/question_pairs.jsonl").read_text().splitlines()
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_file(case: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / case["file"]
    file.write_bytes(case["text"].encode(case.get("encoding", "utf-8")))
    if "says" in case:
        with pytest.raises(PairsError) as said:
            read_pairs(file)
        assert [part for part in case["says"] if part not in str(said.value)] == []
        assert str(file) in str(said.value)
    else:
        assert read_pairs(file) == [Pair(**pair) for pair in case["pairs"]]


def test_a_missing_file_and_a_folder_and_a_large_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "large.csv").write_text("question,sql\n" + "x" * 100)
    monkeypatch.setattr("critiql.tools.question_pairs.LARGEST", 50)
    for name, says in (("none.csv", "no file"), ("folder.csv", "no file"), ("large.csv", "Give fewer")):
        with pytest.raises(PairsError, match=says):
            read_pairs(tmp_path / name)


ABOUT = [
    ("", True),
    ("shop", True),
    ("shop.sqlite", True),
    ("./other/../shop.sqlite", True),
    ("sqlite:///{folder}/shop.sqlite", True),
    ("{folder}/shop.sqlite", True),
    ("other", False),
    ("other/shop.sqlite", False),
    ("sqlite:////elsewhere/shop.sqlite", False),
]


@pytest.mark.parametrize(("named", "about"), ABOUT)
def test_which_database_a_pair_is_about(named: str, about: bool, tmp_path: Path) -> None:
    pair = Pair(1, "How many?", "SELECT 1", named.format(folder=tmp_path))
    assert pair.is_about(f"sqlite:///{tmp_path}/shop.sqlite", tmp_path) is about


def test_a_server_is_named_by_its_url_or_its_name() -> None:
    for named, about in (
        ("postgresql://host/shop", True),
        ("shop", True),
        ("postgresql://host/other", False),
    ):
        assert Pair(1, "", "", named).is_about("postgresql://host/shop", Path()) is about
