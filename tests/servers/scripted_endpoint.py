"""An OpenAI-compatible endpoint with scripted answers (llmock), as a process of its own."""

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

PATIENCE = 60
"""Seconds."""


def free_port() -> int:
    """A port that nothing listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def script(name: str) -> str:
    """A program of this environment, or the one on the path."""
    own = Path(sys.executable).parent / name
    found = str(own) if own.exists() else shutil.which(name)
    assert found, f"{name} is not installed"
    return found


@contextmanager
def process(command: Sequence[str], log: Path, ready: str, **options: object) -> Iterator[str]:
    """Run a server until the block ends.

    Args:
        command: the program and its arguments.
        log: a file for what it prints.
        ready: the URL that answers once it is up.
        options: of `Popen`.
    """
    with log.open("w") as file:
        running = subprocess.Popen(command, stdout=file, stderr=file, **options)  # type: ignore[call-overload]
        try:
            for _ in range(PATIENCE * 5):
                assert running.poll() is None, log.read_text()
                try:
                    if httpx.get(ready).status_code < 500:
                        break
                except httpx.HTTPError:
                    time.sleep(0.2)
            else:
                raise AssertionError(log.read_text())
            yield ready
        finally:
            running.terminate()
            running.wait(30)


@contextmanager
def scripted_endpoint(text: str, log: Path, latency: float = 0.0) -> Iterator[str]:
    """An endpoint that answers everything with this text after so many seconds; yields its model's name."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [script("llmock"), "serve", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--latency-ms", str(round(latency * 1000))]
    with process(command, log, f"{url}/_llmock/requests"):
        reply = {"behaviors": [{"type": "reply", "text": text, "times": None}]}
        httpx.post(f"{url}/_llmock/scenario", json=reply).raise_for_status()
        yield f"openai:m@{url}/v1"
