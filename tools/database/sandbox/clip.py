"""Cutting what a statement returns to the caps on rows, bytes and cells; every engine's rows pass here."""

from collections.abc import Iterable
from typing import NamedTuple

Cell = int | float | str | bytes | None
"""As `Value` in `result`, which a worker does not import: it would double the time of its start."""
FIXED_BYTES = 8
"""What a number or NULL counts for, so that many narrow cells are bounded too."""


class Clipped(NamedTuple):
    """Rows within the caps, and whether anything was cut."""

    rows: list[list[Cell]]
    truncated: bool


def _clip_text(value: str, cap: int) -> tuple[str, int, bool]:
    if len(value) * 4 <= cap:
        return value, len(value) if value.isascii() else len(value.encode("utf-8", "replace")), False
    raw = value[: cap + 1].encode("utf-8", "replace")
    if len(raw) <= cap:
        return value, len(raw), False
    return raw[:cap].decode("utf-8", "ignore"), cap, True


def clip_cell(value: Cell, cap: int) -> tuple[Cell, int, bool]:
    """The cell cut to `cap` bytes, its size in bytes, and whether it was cut."""
    if isinstance(value, str):
        return _clip_text(value, cap)
    if isinstance(value, bytes):
        return value[:cap], min(len(value), cap), len(value) > cap
    return value, FIXED_BYTES, False


def clip_rows(
    fetched: Iterable[Iterable[Cell]],
    rows: int,
    total_bytes: int,
    cell_bytes: int,
) -> Clipped:
    """The first `rows` rows that fit into `total_bytes`, cells cut to `cell_bytes`; one more is read."""
    kept: list[list[int | float | str | bytes | None]] = []
    spent, cut = 0, False
    for row in fetched:
        if len(kept) >= rows:
            return Clipped(kept, True)
        cells = []
        for value in row:
            cell, size, shorter = clip_cell(value, cell_bytes)
            cells.append(cell)
            spent += size
            cut = cut or shorter
        if spent > total_bytes:
            return Clipped(kept, True)
        kept.append(cells)
    return Clipped(kept, cut)
