"""A GGUF model behind llama.cpp's own OpenAI-compatible server on loopback."""

import os
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest


def url_of(port: int) -> str:
    """Where a server on that port is asked."""
    return f"http://127.0.0.1:{port}/v1"


def start(model: Path, alias: str, port: int, *options: str) -> "subprocess.Popen[bytes]":
    """The server's process, once it answers; the caller ends it."""
    pytest.importorskip("fastapi", reason="needs llama-cpp-python[server]")
    command = [sys.executable, "-m", "llama_cpp.server", "--model", str(model), "--model_alias", alias]
    command += ["--n_threads", "1", "--host", "127.0.0.1", "--port", str(port), *options]
    environment = {**os.environ, "GOMP_SPINCOUNT": "300"}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _wait(process, url_of(port))
    return process


def _wait(server: "subprocess.Popen[bytes]", url: str) -> None:
    for _ in range(240):
        assert server.poll() is None, "the server ended"
        try:
            httpx.get(f"{url}/models", trust_env=False)
        except httpx.HTTPError:
            time.sleep(0.5)
        else:
            return
    server.kill()
    pytest.fail("the server did not answer within 120 seconds")
