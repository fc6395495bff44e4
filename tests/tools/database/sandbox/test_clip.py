"""Cutting rows, bytes and cells."""

from itertools import count

import pytest

from critiql.tools.database.sandbox.clip import Cell, clip_cell, clip_rows

CELLS: list[tuple[Cell, int, tuple[Cell, int, bool]]] = [
    ("abc", 3, ("abc", 3, False)),
    ("abcd", 3, ("abc", 3, True)),
    ("äöü", 6, ("äöü", 6, False)),
    ("äöü", 5, ("äö", 5, True)),
    ("𝄞", 3, ("", 3, True)),
    ("", 0, ("", 0, False)),
    (b"\x00\x01", 2, (b"\x00\x01", 2, False)),
    (b"\x00\x01", 1, (b"\x00", 1, True)),
    (10**18, 1, (10**18, 8, False)),
    (None, 1, (None, 8, False)),
]


@pytest.mark.parametrize(("value", "cap", "clipped"), CELLS)
def test_cells(value: Cell, cap: int, clipped: tuple[Cell, int, bool]) -> None:
    assert clip_cell(value, cap) == clipped


def test_one_row_more_is_read_and_no_other() -> None:
    numbers = count()
    assert clip_rows(([n] for n in numbers), 3, 1000, 10) == ([[0], [1], [2]], True)
    assert next(numbers) == 4


def test_exactly_all_rows_are_not_truncated() -> None:
    assert clip_rows([[1], [2]], 2, 1000, 10) == ([[1], [2]], False)


def test_the_byte_cap_counts_numbers_too() -> None:
    assert clip_rows([[1, 2]] * 9, 100, 40, 10) == ([[1, 2]] * 2, True)
