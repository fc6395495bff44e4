"""A cluster of plain processes for tests: `deploy/cluster.py` in the environment of `make cluster-check`."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-cluster" / "bin" / "python"
ABSENT = 77
PATIENCE = 240
"""Seconds until a cluster is up, on a busy machine."""
QUICK_LEASES = {
    "LEASE_DURATION_SECONDS": "9",
    "HEARTBEAT_INTERVAL_SECONDS": "3",
    "REAPER_INTERVAL_SECONDS": "2",
}
"""An instance that was killed is missed after seconds instead of half a minute."""


class PlainCluster(NamedTuple):
    """A running cluster, and the file in which it says where it is."""

    process: "subprocess.Popen[str]"
    described: Path
    log: Path

    def __getitem__(self, name: str) -> Any:
        """What it says of itself: `urls`, `pids`, `model`, `folder`."""
        return json.loads(self.described.read_text())[name]

    def kill(self, part: str) -> None:
        """End one part at once, without a chance to tidy."""
        os.kill(self["pids"][part], signal.SIGKILL)


@contextmanager
def plain_cluster(
    folder: Path, options: Sequence[str], settings: Mapping[str, str] = QUICK_LEASES
) -> Iterator[PlainCluster]:
    """A cluster while the block runs; the test is skipped, with the reason, where a part is not installed."""
    if not PYTHON.exists():
        pytest.skip("there is no environment with Aegra: make cluster-check makes it, with Python 3.12")
    described, log = folder / "cluster.json", folder / "cluster.log"
    command = [str(PYTHON), str(ROOT / "deploy" / "cluster.py"), "--port", "0", "--describe", str(described)]
    with log.open("w") as file:
        process = subprocess.Popen(
            [*command, *options], stdout=file, stderr=file, text=True, env={**os.environ, **settings}
        )
    try:
        _wait(process, described, log)
        yield PlainCluster(process, described, log)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(PATIENCE)


def _wait(process: "subprocess.Popen[str]", described: Path, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while not described.exists():
        if process.poll() == ABSENT:
            pytest.skip(log.read_text().strip())
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.2)


def figure(url: str, name: str) -> float:
    """One of Prometheus' figures of an instance; its labels belong to the name."""
    lines = httpx.get(f"{url}/metrics", trust_env=False).raise_for_status().text.splitlines()
    return next(float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{name} "))
