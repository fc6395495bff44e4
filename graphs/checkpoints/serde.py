"""How checkpoints are written: msgpack of plain values and messages, each with a checksum; never pickle."""

from hashlib import sha256
from typing import Any

from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from critiql.tools.hiding import hide_known_in

DIGEST = 8
"""Bytes of SHA-256 in front of the data."""
WIDE = "msgpack-wide"
"""Type of data whose integers beyond 64 bits, which msgpack does not know, stand as text under `INTEGER`."""
INTEGER = "__integer__"


class DamagedError(ValueError):
    """The data is not what was written."""


class CheckedSerializer:
    """LangGraph's serialiser, held to the types that run no code when they are read, and checksummed."""

    def __init__(self) -> None:
        self._plain = JsonPlusSerializer(pickle_fallback=False, allowed_msgpack_modules=None)

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        """Type and data of an object.

        Raises:
            TypeError: it holds something that is not plain.
        """
        try:
            obj = hide_known_in(obj)
            kind, data = self._plain.dumps_typed(obj)
        except TypeError:
            kind, data = WIDE, self._plain.dumps_typed(_narrow(obj))[1]
        return kind, _digest(kind, data) + data

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        """The object.

        Raises:
            DamagedError: the checksum does not agree.
        """
        kind, sealed = data[0], bytes(data[1])
        content = sealed[DIGEST:]
        if sealed[:DIGEST] != _digest(kind, content):
            raise DamagedError("a checksum does not agree")
        if kind == WIDE:
            return _widen(self._plain.loads_typed(("msgpack", content)))
        return self._plain.loads_typed((kind, content))


def _digest(kind: str, data: bytes) -> bytes:
    return sha256(kind.encode() + b"\0" + data).digest()[:DIGEST]


def _narrow(value: Any) -> Any:
    """The value with its wide integers as text."""
    if isinstance(value, dict):
        return {key: _narrow(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_narrow(inner) for inner in value]
    wide = isinstance(value, int) and not -(2**63) <= value < 2**64
    return {INTEGER: str(value)} if wide else value


def _widen(value: Any) -> Any:
    """The inverse of `_narrow`."""
    if isinstance(value, dict):
        return int(value[INTEGER]) if set(value) == {INTEGER} else {k: _widen(v) for k, v in value.items()}
    return [_widen(inner) for inner in value] if isinstance(value, list) else value
