"""Ctrl-C in the middle of a stream, with a real model."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import pytest

pytestmark = [pytest.mark.model, pytest.mark.slow]

TRIES = 5
"""On a starved machine the small model may be done before the signal is sent; then it is asked again."""


def listen() -> None:
    """Let Ctrl-C reach a program whose shell runs it in the background, with the signal switched off."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


class Ended(NamedTuple):
    """How a run ended after Ctrl-C."""

    code: int
    said: str
    seconds: float


def interrupted(shop: Path, seed: int) -> Ended:
    """Ask for a long answer, and press Ctrl-C once the actor has begun to write it."""
    command = [Path(sys.executable).parent / "critiql", "ask", "Tell me a long story", "--db", shop]
    options = ["--graph", "single_shot", "--model", "smollm2-135m-instruct", "--set", "max_tokens=4000"]
    process = subprocess.Popen(
        [*command, *options, "--set", "temperatures=[1.5]", "--set", f"seed={seed}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        preexec_fn=listen,
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
    return Ended(process.returncode, said, time.monotonic() - started)


def test_ctrl_c_ends_a_stream_at_once_and_loses_nothing(shop: Path) -> None:
    before = shop.read_bytes()
    ended = interrupted(shop, 0)
    for seed in range(1, TRIES):
        if "candidate 0" not in ended.said:
            break
        ended = interrupted(shop, seed)
    assert ended.code == 130, ended.said
    assert "Interrupted" in ended.said
    assert "Traceback" not in ended.said
    assert ended.seconds < 15
    assert shop.read_bytes() == before
