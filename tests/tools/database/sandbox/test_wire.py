"""Frames: what goes in comes out, what is none is refused."""

import pytest

from critiql.tools.database.sandbox.wire import HEADER, WireError, decode, encode

ROWS = [[1, -(2**63), 1.0, 0.1, float("inf"), None, "\x00\ud800\n✓", b"\x00\xff", b"", '{"b64": "AA=="}']]


def test_values_keep_their_kind() -> None:
    frame = encode({"rows": ROWS})
    assert HEADER.unpack(frame[:4])[0] == len(frame) - 4
    found = decode(frame[4:])["rows"]
    assert found == ROWS
    assert [type(value) for value in found[0]] == [type(value) for value in ROWS[0]]


@pytest.mark.parametrize(
    "body", [b"", b"[1]", b"nonsense", b"\xff", b"[" * 100_000, b'{"b64": "', b'{"b64": 1}', b"1" * 5000]
)
def test_what_is_no_message_is_refused(body: bytes) -> None:
    with pytest.raises(WireError):
        decode(body)


def test_other_objects_do_not_travel() -> None:
    with pytest.raises(TypeError, match="does not travel"):
        encode({"rows": [[object()]]})
