"""How many threads a model should run on."""

import os
from pathlib import Path

_TOPOLOGY = Path("/sys/devices/system/cpu")


def physical_cores() -> int:
    """Physical cores this process may use; all it may use where the system does not tell."""
    usable = _usable()
    cores = {_core(cpu) for cpu in usable}
    return max(1, len(cores))


def _usable() -> set[int]:
    if hasattr(os, "sched_getaffinity"):
        return set(os.sched_getaffinity(0))
    return set(range(os.cpu_count() or 1))


def _core(cpu: int) -> str:
    """What names the core a logical CPU belongs to: its list of siblings, or itself."""
    try:
        return (_TOPOLOGY / f"cpu{cpu}/topology/thread_siblings_list").read_text().strip()
    except OSError:
        return str(cpu)
