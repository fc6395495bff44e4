"""What was measured of a model, as small JSON files: read, written, and listed in order."""

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict

from critiql.tools.models.model import ModelError


class CalibrationError(ModelError):
    """A file of what was measured cannot be read. The message says which, why, and what to do."""


class Record(BaseModel):
    """A frozen record that refuses unknown fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)


AnyRecord = TypeVar("AnyRecord", bound=Record)


def read_record(kind: type[AnyRecord], path: Path, name: str, command: str) -> AnyRecord:
    """Read one file.

    Args:
        kind: what it holds.
        path: the file.
        name: what to call it in an error.
        command: what writes it anew.

    Raises:
        CalibrationError: it is damaged, or of another version.
    """
    try:
        return kind.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CalibrationError(
            f"The {name} {path} cannot be read: {error}\nRemove it, or write it anew with: {command}"
        ) from error


def write_record(record: Record, path: Path) -> None:
    """Write one file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(record.model_dump_json(indent=2) + "\n", encoding="utf-8")


def record_files(*folders: Path) -> Iterator[Path]:
    """The files of some folders, in an order in which a later one goes before an earlier one."""
    for folder in folders:
        yield from sorted(folder.glob("*.json"))
