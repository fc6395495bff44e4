"""What the machine has for a model: cores and memory."""

import os
from pathlib import Path

import psutil

_TOPOLOGY = Path("/sys/devices/system/cpu")


def physical_cores() -> int:
    """Physical cores this process may use; all it may use where the system does not tell."""
    return max(1, len({_core(cpu) for cpu in _usable()}))


def free_memory() -> int:
    """Bytes that can be had without swapping."""
    return int(psutil.virtual_memory().available)


def memory() -> int:
    """Bytes of memory of the machine."""
    return int(psutil.virtual_memory().total)


def own_memory() -> int:
    """Bytes of memory that this process holds."""
    return int(psutil.Process().memory_info().rss)


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
