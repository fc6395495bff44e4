"""Training files: balance, parts and what is refused."""

from collections import Counter
from pathlib import Path

import pytest

from critiql.training.data.example_file import balanced, read_rows, write_rows

COUNTS = {"NONE": 10, "ADD": 8, "TABLE": 1}


def rows() -> list[dict[str, object]]:
    return [{"kind": kind, "index": number} for kind, n in COUNTS.items() for number in range(n)]


@pytest.mark.parametrize(
    ("limit", "kinds"),
    [
        (None, {"NONE": 8, "ADD": 8, "TABLE": 1}),
        (6, {"NONE": 3, "ADD": 2, "TABLE": 1}),
        (2, {"NONE": 1, "ADD": 1}),
    ],
)
def test_kinds_are_equally_frequent_as_far_as_there_are_any(limit: int | None, kinds: dict[str, int]) -> None:
    kept = balanced(rows(), limit, 0)
    assert Counter(row["kind"] for row in kept) == kinds
    assert kept == [row for row in rows() if row in kept]
    assert kept == balanced(rows(), limit, 0)


def test_written_and_read_they_are_the_same(tmp_path: Path) -> None:
    write_rows(rows(), tmp_path / "new" / "a.jsonl")
    assert read_rows(tmp_path / "new" / "a.jsonl") == rows()
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.jsonl"]


@pytest.mark.parametrize("line", ["[1]", "no JSON"])
def test_a_line_that_is_no_object_is_named(line: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text('{"kind": "NONE"}\n' + line + "\n")
    with pytest.raises(ValueError, match="line 2"):
        read_rows(path)
