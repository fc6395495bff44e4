"""What of this package is installed: its own needs, and the optional parts with theirs."""

from importlib.metadata import PackageNotFoundError, metadata, version
from typing import NamedTuple

from packaging.requirements import Requirement

PACKAGE = "critiql"


class Part(NamedTuple):
    """An optional part of the package."""

    name: str
    """As pip takes it: `critiql[name]`."""
    missing: tuple[str, ...]
    """What it needs and is not here, or not in a version that fits."""


def missing_needs() -> tuple[str, ...]:
    """What the package cannot do without and is not here in a version that fits."""
    return _missing("")


def parts() -> list[Part]:
    """Every optional part."""
    names = metadata(PACKAGE).get_all("Provides-Extra") or []
    return [Part(name, _missing(name)) for name in names]


def _missing(extra: str) -> tuple[str, ...]:
    needs = [Requirement(line) for line in metadata(PACKAGE).get_all("Requires-Dist") or []]
    return tuple(
        str(need).partition(";")[0].strip() for need in needs if _is_of(need, extra) and not _is_met(need)
    )


def _is_of(need: Requirement, extra: str) -> bool:
    """Whether it belongs to that part, or for no part to the package itself, on this machine."""
    if need.marker is None:
        return not extra
    return need.marker.evaluate({"extra": extra}) and (not extra or not need.marker.evaluate({"extra": ""}))


def _is_met(need: Requirement) -> bool:
    try:
        return need.specifier.contains(version(need.name), prereleases=True)
    except PackageNotFoundError:
        return False
