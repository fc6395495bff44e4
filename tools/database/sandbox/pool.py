"""A killable process that runs statements, and a pool of them, for any engine that runs in process.

The process is started by exec, never by a bare fork, so it inherits neither a loaded model nor an open file.
It gets an empty environment and limits on memory, files and processor time, and is killed at the deadline.
"""

import os
import select
import subprocess
import sys
import threading
import time
import weakref
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from critiql.tools.database.sandbox import wire
from critiql.tools.database.sandbox.turns import Turns

GRACE_SECONDS = 0.1
"""What a worker gets beyond the deadline to report a timeout itself before it is killed."""
SHORTEST = 0.001
"""Seconds that a statement gets which waited all its time but the last moment."""
START_SECONDS = 10.0
"""What a start may take; about 20 ms on an idle machine."""
HELLO_BYTES = 1000
"""Largest message with which a worker says that it is ready."""
MAIN = Path(__file__).with_name("child.py")
ENVIRONMENT = {"LC_ALL": "C.UTF-8", "MALLOC_ARENA_MAX": "1"}
"""All that a worker's environment holds; a heap for each of its threads would take 64 MB of addresses."""
KILLED_FROM_OUTSIDE = (-9, -15)
"""Exit codes of a worker that somebody else ended; its statement is asked once more of a new one."""
MEGABYTE = 2**20


@dataclass(frozen=True)
class WorkerSpec:
    """How to start a worker for one database."""

    session: str
    """Module with `open_session(options)`, imported in the worker."""
    options: dict[str, Any]
    """Handed to `open_session` through the pipe, so that secrets are not seen in the process list."""
    memory_bytes: int = 512 * MEGABYTE
    """Address space of the process."""
    file_bytes: int = 0
    """Largest file it may write: none."""
    open_files: int = 32
    needs_site: bool = False
    """Whether the session imports installed packages; without them a start is quicker."""

    def limits(self) -> dict[str, int]:
        """Resource limits by name, as `child` sets them."""
        return {"AS": self.memory_bytes, "FSIZE": self.file_bytes, "NOFILE": self.open_files, "CORE": 0}


class WorkerTimeoutError(Exception):
    """The worker did not answer in time and was killed."""


class WorkerBusyError(Exception):
    """All workers were busy for as long as the statement may take; it was not run."""


class WorkerDiedError(Exception):
    """The worker ended without an answer, or sent what is none."""

    def __init__(self, message: str, code: int | None) -> None:
        super().__init__(message)
        self.code = code
        """Its exit code; negative for a signal."""


class WorkerCancelledError(WorkerDiedError):
    """The worker was ended because its database was closed."""


WORKER_ERRORS = (WorkerBusyError, WorkerTimeoutError, WorkerDiedError)
"""Why a pool gave no reply."""


class Worker:
    """One process. Used by one thread at a time."""

    def __init__(self, spec: WorkerSpec) -> None:
        flags = ["-I"] if spec.needs_site else ["-I", "-S"]
        self._process = subprocess.Popen(
            [sys.executable, *flags, str(MAIN)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            cwd="/",
            env=ENVIRONMENT,
            process_group=0,  # Ctrl-C in a terminal is for us to handle, not for the worker
        )
        self._input, self._output = self._pipes()
        self._poll = select.poll()
        self._poll.register(self._output, select.POLLIN)
        self._owner = os.getpid()
        self._is_ready = False
        self.start_seconds = 0.0
        """What its start took, where the last request waited for it; else 0."""
        self.is_cancelled = False
        """Set by `cancel`: the statement it was running must not be asked again."""
        self._finalizer = weakref.finalize(self, _end, self._process, os.getpid())
        start = {
            "session": spec.session,
            "limits": spec.limits(),
            "options": spec.options,
            "parent": self._owner,
        }
        self._send(wire.encode(start))

    def _pipes(self) -> tuple[int, int]:
        if (
            self._process.stdin is None or self._process.stdout is None
        ):  # never so with PIPE; tells the type checker
            msg = "the worker has no pipes"
            raise WorkerDiedError(msg, None)
        return self._process.stdin.fileno(), self._process.stdout.fileno()

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it was not killed, still runs, and is ours rather than a forked parent's."""
        return self._finalizer.alive and self._owner == os.getpid() and self._process.poll() is None

    def kill(self) -> None:
        """End the process now and close its pipes. For the thread that uses it.

        Giving a large heap back takes the kernel a while, so a thread of its own reaps the process.
        """
        if self._finalizer.detach() is None:
            return
        _stop(self._process, self._owner)
        if self._owner == os.getpid() and self._process.poll() is None:
            threading.Thread(target=self._process.wait, daemon=True).start()

    def join(self) -> None:
        """Wait until the killed process is gone."""
        if self._owner == os.getpid():
            self._process.wait()

    def cancel(self) -> None:
        """End the process from another thread; the one that waits for its reply sees it gone."""
        self.is_cancelled = True
        self._process.kill()

    def ask(self, request: dict[str, Any], deadline: float, largest: int) -> dict[str, Any]:
        """The reply to a request, whose limit becomes what is left until then.

        Args:
            request: as `child` takes it.
            deadline: moment on `time.monotonic`; what a new worker's start takes is added to it.
            largest: bound on the reply in bytes.

        Raises:
            WorkerTimeoutError: no reply before the deadline and the grace; the worker is dead.
            WorkerDiedError: the worker ended or broke the protocol; it is dead.
        """
        self.start_seconds = 0.0 if self._is_ready else self._wait_for_start()
        deadline += self.start_seconds
        left = max(SHORTEST, deadline - time.monotonic())
        self._send(wire.encode({**request, "limits": [left, *request["limits"][1:]]}))
        return self._receive_message(deadline + GRACE_SECONDS, largest)

    def _wait_for_start(self) -> float:
        """Seconds until the new worker said that it is ready."""
        started = time.monotonic()
        self._receive_message(started + START_SECONDS, HELLO_BYTES)
        self._is_ready = True
        return time.monotonic() - started

    def _receive_message(self, deadline: float, largest: int) -> dict[str, Any]:
        size = wire.HEADER.unpack(self._receive(wire.HEADER.size, deadline))[0]
        if size > largest:
            raise self._broken(f"the worker wants to send {size} bytes")
        body = self._receive(size, deadline)
        try:
            return wire.decode(body)
        except wire.WireError as error:
            raise self._broken(str(error)) from error

    def _send(self, frame: bytes) -> None:
        view = memoryview(frame)
        try:
            while view:
                view = view[os.write(self._input, view) :]
        except OSError as error:
            raise self._broken("the worker is gone") from error

    def _receive(self, size: int, deadline: float) -> bytes:
        parts = bytearray()
        while len(parts) < size:
            left = deadline - time.monotonic()
            if left <= 0 or not self._poll.poll(left * 1000):
                self.kill()
                msg = "the statement was stopped at its time limit"
                raise WorkerTimeoutError(msg)
            part = os.read(self._output, size - len(parts))
            if not part:
                raise self._broken("the worker ended without an answer")
            parts += part
        return bytes(parts)

    def _broken(self, message: str) -> WorkerDiedError:
        try:
            code = self._process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            code = None
        self.kill()
        return WorkerDiedError(message, code)


def _stop(process: "subprocess.Popen[bytes]", owner: int) -> None:
    """Kill the process and close its pipes; a fork of the owner only closes its copies of them."""
    if os.getpid() == owner:
        process.kill()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()


def _end(process: "subprocess.Popen[bytes]", owner: int) -> None:
    """Stop the process of a worker that nobody refers to any more, and reap it."""
    _stop(process, owner)
    if os.getpid() == owner:
        process.wait()


@dataclass
class WorkerPool:
    """Workers of one database: warm ones are reused, new ones started on demand, at most `size` at once.

    Who asks first is served first, and the wait for a worker is part of a statement's time.
    """

    spec: WorkerSpec
    size: int = 4
    _idle: list[Worker] = field(default_factory=list)
    _busy: set[Worker] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._turns = Turns(self.size)

    def ask(self, request: dict[str, Any], seconds: float, largest: int) -> dict[str, Any]:
        """The reply of some worker; waits for one when all are busy.

        The first of the request's `limits` becomes what the wait left of `seconds`.

        Raises:
            WorkerBusyError: no worker came free within `seconds`; nothing was run.
            WorkerTimeoutError: no reply in time.
            WorkerCancelledError: the pool was closed meanwhile.
            WorkerDiedError: the worker died of this request, or twice, or none could be started.
        """
        deadline = time.monotonic() + seconds
        if not self._turns.take(deadline):
            msg = (
                f"the database is busy: for {seconds:g} s, all the time this statement may take, other "
                "statements had every worker; run fewer at once, or allow more time"
            )
            raise WorkerBusyError(msg)
        try:
            return self._ask_twice(request, deadline, largest)
        finally:
            self._turns.give_back()

    def _ask_twice(self, request: dict[str, Any], deadline: float, largest: int) -> dict[str, Any]:
        """Ask a worker; where somebody else ended it, a second one for the rest of the time."""
        worker = self._take()
        try:
            return self._ask_once(worker, request, deadline, largest)
        except WorkerCancelledError:
            raise
        except WorkerDiedError as error:
            if error.code not in KILLED_FROM_OUTSIDE:
                raise
        return self._ask_once(self._take(), request, deadline + worker.start_seconds, largest)

    def _ask_once(
        self, worker: Worker, request: dict[str, Any], deadline: float, largest: int
    ) -> dict[str, Any]:
        is_clean = False
        try:
            reply = worker.ask(request, deadline, largest)
            is_clean = reply.get("kind") != "memory"  # what is left of a full heap is not worth keeping
            return reply
        except WorkerDiedError as error:
            if worker.is_cancelled:
                msg = "the database was closed while the statement ran"
                raise WorkerCancelledError(msg, error.code) from error
            raise
        finally:
            self._put_back(worker, is_clean)

    def _take(self) -> Worker:
        with self._lock:
            while self._idle:
                worker = self._idle.pop()
                if worker.alive:
                    self._busy.add(worker)
                    return worker
                worker.kill()
        worker = self._start()
        with self._lock:
            self._busy.add(worker)
        return worker

    def _start(self) -> Worker:
        try:
            return Worker(self.spec)
        except OSError as error:
            msg = f"no worker could be started: {error.strerror}"
            raise WorkerDiedError(msg, None) from error

    def _put_back(self, worker: Worker, is_clean: bool) -> None:
        """Keep the worker for the next statement, unless a reply of it may still come."""
        with self._lock:
            self._busy.discard(worker)
            if is_clean and worker.alive and not worker.is_cancelled:
                self._idle.append(worker)
                return
        worker.kill()

    def pids(self) -> list[int]:
        """Process ids of all workers, for tests and for reports of memory."""
        with self._lock:
            return [worker.pid for worker in (*self._idle, *self._busy)]

    def close(self) -> None:
        """End all workers, also those that are running a statement; a later `ask` starts new ones.

        Idle ones are gone when this returns; the thread that waits for a busy one puts it away.
        """
        with self._lock:
            idle, self._idle = self._idle, []
            for worker in self._busy:
                worker.cancel()
        for worker in idle:
            worker.kill()
        for worker in idle:
            worker.join()
