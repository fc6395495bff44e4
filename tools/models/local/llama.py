"""llama.cpp's C interface: what must be set before it is loaded, and what it logs.

llama.cpp's threads meet at a barrier after each operation, hundreds of times a token. OpenMP makes them
spin there for milliseconds; on a machine that has other work, the one waited for is then kept from
running. Measured with 2 threads on 2 cores, prefill and decoding in tokens/s: under a load of 10 (135M
model) 3 and 0.5 by default, 65 and 22 with a short spin; alone on the machine (0.5B model) 246 and 49 by
default, 232 and 50 with a short spin.
"""

import os
from collections import deque
from functools import cache
from importlib import import_module
from typing import Any

os.environ.setdefault("GOMP_SPINCOUNT", "300")
# where ggml aborts it would start a debugger for its last words
os.environ.setdefault("GGML_NO_BACKTRACE", "1")

native: Any = import_module("llama_cpp.llama_cpp")
"""Imported here because it reads the environment; untyped because its annotations know no NULL."""

_ERROR_LEVEL = 4
"""`GGML_LOG_LEVEL_ERROR` in the version that is pinned; the binding numbers them otherwise."""
_errors: deque[str] = deque(maxlen=8)


def _keep_errors(level: int, text: bytes, _data: object) -> None:
    if level == _ERROR_LEVEL:
        _errors.append(text.decode(errors="replace").strip())


_log_callback = native.llama_log_callback(_keep_errors)
"""Held here, since C keeps only the address."""


@cache
def start_backend() -> None:
    """Silence llama.cpp and start it, once a process."""
    native.llama_log_set(_log_callback, None)
    native.llama_backend_init()


def forget_errors() -> None:
    """Begin something whose first error counts."""
    _errors.clear()


def first_error() -> str:
    """The first error line llama.cpp logged since `forget_errors`; the later ones only repeat it."""
    return _errors[0] if _errors else "llama.cpp gave no reason"
