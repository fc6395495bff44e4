"""llama.cpp's C interface: what must be set before it is loaded, and what it logs.

llama.cpp's threads meet at a barrier after each operation, hundreds of times a token. OpenMP makes them
spin there for milliseconds; on a machine that has other work, the one waited for is then kept from
running. Measured with a 135M model, 2 threads on 2 cores under a load of 10: 3 tokens/s of prefill and
0.5/s of decoding with the default, 65 and 22 with a short spin.
"""

import os
from collections import deque
from functools import cache

os.environ.setdefault("GOMP_SPINCOUNT", "300")

from llama_cpp import llama_cpp as native

__all__ = ["last_error", "native", "start_backend"]

_ERROR_LEVEL = 3
_errors: deque[str] = deque(maxlen=1)


@native.llama_log_callback  # type: ignore[untyped-decorator]
def _keep_errors(level: int, text: bytes, _data: object) -> None:
    if level == _ERROR_LEVEL:
        _errors.append(text.decode(errors="replace").strip())


@cache
def start_backend() -> None:
    """Silence llama.cpp and start it, once a process."""
    native.llama_log_set(_keep_errors, None)
    native.llama_backend_init()


def last_error() -> str:
    """The last error line llama.cpp logged, taken away; a stand-in when there is none."""
    return _errors.pop() if _errors else "llama.cpp gave no reason"
