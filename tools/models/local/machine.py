"""What the machine has for a model: cores and memory."""

import os
from pathlib import Path

_TOPOLOGY = Path("/sys/devices/system/cpu")
_MEMORY = Path("/proc/meminfo")


def physical_cores() -> int:
    """Physical cores this process may use; all it may use where the system does not tell."""
    return max(1, len({_core(cpu) for cpu in _usable()}))


def free_memory() -> int | None:
    """Bytes that can be had without swapping; None where the system does not tell."""
    try:
        lines = _MEMORY.read_text().splitlines()
    except OSError:
        return None
    found = [int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")]
    return found[0] * 1024 if found else None


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
