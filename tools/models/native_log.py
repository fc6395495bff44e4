"""What llama.cpp logs: kept off the terminal, its last error kept for our own messages."""

from collections import deque
from functools import cache

import llama_cpp.llama_cpp as native

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
