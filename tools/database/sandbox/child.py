"""The child process: sets its own limits, opens one engine's session, answers until its input closes.

Run by path with `-I -S`, so that it starts in about 20 ms: it imports the standard library and the engine's
session module, never the rest of the package. A session module has `open_session(options)`, which gives a
callable from request to reply. A request has `op` (`run`, `introspect`), `limits` (seconds, rows, total
bytes, cell bytes) and for `run` the `sql`. A reply has `columns`, `rows`, `truncated` and perhaps `types`;
or `kind`, `message` and perhaps `name` for what the engine raised.
"""

import _thread
import importlib
import math
import os
import resource
import select
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

PARENT_SECONDS = 0.5
"""Between two looks for the parent, where the system cannot say when it ends."""
WATCH_STACK = 2**18
"""Bytes of the watching thread's stack: it counts against the address space that statements have."""
CPU_GRACE = 2
"""Processor seconds beyond a statement's own after which the kernel ends a worker nobody waits for."""


def _lay_package() -> None:
    """Make `critiql.tools...` importable from the folder this file lies in, without site packages."""
    package = ModuleType("critiql")
    package.__path__ = [str(Path(__file__).resolve().parents[3])]
    sys.modules["critiql"] = package


def _set_limits(limits: dict[str, int]) -> None:
    for name, value in limits.items():
        which = getattr(resource, f"RLIMIT_{name}")
        hard = resource.getrlimit(which)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(which, (value, value))


def _bound_cpu(seconds: float) -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = math.ceil(used.ru_utime + used.ru_stime + seconds) + CPU_GRACE
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(
        resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard)
    )


def _end_with_parent(parent: int) -> None:
    """End this process as soon as the parent's ends, whatever else it is doing.

    A signal at the parent's death would also come when only the thread ends that started us. The pipe alone
    is not enough: a fork of the parent holds a copy of its other end.
    """
    watched = select.poll()
    watched.register(0, 0)  # only that nobody can write to it any more
    milliseconds = None
    try:
        watched.register(os.pidfd_open(parent), select.POLLIN)
    except (AttributeError, OSError):  # not Linux, or too old
        milliseconds = int(1000 * PARENT_SECONDS)
    while os.getppid() == parent:
        if watched.poll(milliseconds):
            break
    os._exit(0)


def _read(size: int) -> bytes:
    parts = []
    while size:
        part = os.read(0, size)
        if not part:
            sys.exit(0)
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _write(frame: bytes) -> None:
    view = memoryview(frame)
    while view:
        view = view[os.write(1, view) :]


def main() -> None:
    """Read the start message (limits, module, options), then answer one request after another."""
    _lay_package()
    from critiql.tools.database.sandbox import wire

    def receive() -> dict[str, Any]:
        return wire.decode(_read(wire.HEADER.unpack(_read(wire.HEADER.size))[0]))

    start = receive()
    _thread.stack_size(WATCH_STACK)
    _thread.start_new_thread(_end_with_parent, (start["parent"],))
    _thread.stack_size(0)
    open_session = importlib.import_module(start["session"]).open_session
    _set_limits(start["limits"])
    session = open_session(start["options"])
    _write(wire.encode({"ready": True}))
    while True:
        request = receive()
        _bound_cpu(request["limits"][0])
        try:
            frame = wire.encode(session(request))
        except MemoryError:
            frame = wire.encode(
                {"kind": "memory", "message": "the statement needed more memory than it may have"}
            )
        _write(frame)


if __name__ == "__main__":
    main()
