"""Ctrl-C in the middle of a stream, with a real model."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.model


def test_ctrl_c_ends_a_stream_at_once_and_loses_nothing(shop: Path) -> None:
    before = shop.read_bytes()
    command = [Path(sys.executable).parent / "critiql", "ask", "Tell me a long story", "--db", shop]
    options = ["--graph", "single_shot", "--model", "smollm2-135m-instruct", "--set", "max_tokens=4000"]
    process = subprocess.Popen(
        [*command, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stderr is not None
    shown = ""
    while "actor" not in shown:
        character = process.stderr.read(1)
        assert character, shown
        shown += character
    process.send_signal(signal.SIGINT)
    started = time.monotonic()
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "Interrupted" in said
    assert "Traceback" not in said
    assert time.monotonic() - started < 15
    assert shop.read_bytes() == before
