"""Values of drivers as the cells a result holds: numbers, text, bytes, NULL. Standard library only."""

import json
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from critiql.tools.database.sandbox.clip import Cell

LARGEST_EXACT = 2**63
LARGEST_WHOLE = 2**53
"""From here on a float no longer holds every integer."""
MOST_DIGITS = 20
"""What PostgreSQL's division gives for a fraction (numeric.c: 16 significant digits, in groups of four)."""


def cell(value: Any) -> Cell:
    """The value as a cell: decimals as numbers or exact text, times as text, lists and structs as JSON."""
    if value is None or isinstance(value, bool | int | float | str | bytes):
        return value
    if isinstance(value, Decimal):
        return _number(value)
    if isinstance(value, datetime):
        return value.isoformat(" ")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return _clock(value)
    if isinstance(value, bytearray | memoryview):
        return bytes(value)
    if isinstance(value, list | tuple | dict | set | frozenset):
        return json.dumps(_nested(value))
    return str(value)


def _nested(value: Any) -> Any:
    """The value as JSON holds it inside a list or struct: bytes in hexadecimal digits, keys as text."""
    if isinstance(value, dict):
        return {str(_nested(key)): _nested(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_nested(inner) for inner in value]
    if isinstance(value, set | frozenset):
        return [_nested(inner) for inner in sorted(value, key=str)]
    found = cell(value)
    return found.hex() if isinstance(found, bytes) else found


def _number(value: Decimal) -> int | float | str:
    """An integer where the decimal has no fraction digits, else the nearest float; text where that is not it.

    Text is exact: NaN, infinities, integers beyond 64 bits, what a float would make infinite or zero, a whole
    part that a float cannot hold, and more digits than the server's own division and averages give.
    """
    if not value.is_finite():
        return "NaN" if value.is_nan() else str(value)
    if value == value.to_integral_value() and abs(value) < LARGEST_EXACT:
        is_plain = value.as_tuple().exponent == 0 or abs(value) >= LARGEST_WHOLE
        return int(value) if is_plain else float(value)
    digits = len(value.as_tuple().digits)
    is_near = digits <= MOST_DIGITS and abs(value) < LARGEST_WHOLE and (float(value) != 0) == (value != 0)
    return float(value) if is_near else format(value, "f")


def _clock(value: timedelta) -> str:
    """A duration as `[-]H:MM:SS[.ffffff]`, hours beyond a day included, as MySQL prints TIME."""
    sign = "-" if value < timedelta() else ""
    value = abs(value)
    hours, rest = divmod(value.days * 86400 + value.seconds, 3600)
    fraction = f".{value.microseconds:06d}" if value.microseconds else ""
    return f"{sign}{hours:02d}:{rest // 60:02d}:{rest % 60:02d}{fraction}"
