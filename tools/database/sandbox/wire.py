"""Frames between a worker and its parent: a four-byte length, then JSON; blobs as base64 under one key.

JSON rather than pickle or marshal: what a child sends after reading hostile data must not run code here.
"""

import base64
import json
import struct
from typing import Any

HEADER = struct.Struct(">I")
"""Length of the frame that follows."""
BLOB = "b64"
"""The one key of the object that stands for a blob; no other object occurs inside rows."""


class WireError(Exception):
    """A frame that is not one of ours."""


def _blob(value: object) -> dict[str, str]:
    if isinstance(value, bytes):
        return {BLOB: base64.b64encode(value).decode("ascii")}
    msg = f"{type(value).__name__} does not travel over the wire"
    raise TypeError(msg)


def _revive(found: dict[str, Any]) -> Any:
    if len(found) == 1 and BLOB in found:
        return base64.b64decode(found[BLOB])
    return found


def encode(message: dict[str, Any]) -> bytes:
    """The frame of a message: header and body."""
    body = json.dumps(message, default=_blob, separators=(",", ":")).encode("ascii")
    return HEADER.pack(len(body)) + body


def decode(body: bytes) -> dict[str, Any]:
    """The message in a frame's body.

    Raises:
        WireError: it is not an object in JSON.
    """
    try:
        message = json.loads(body, object_hook=_revive)
    except (ValueError, TypeError, RecursionError) as error:
        msg = f"not a message: {error}"
        raise WireError(msg) from error
    if not isinstance(message, dict):
        msg = "not a message: no object"
        raise WireError(msg)
    return message
