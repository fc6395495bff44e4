"""The local store of GGUF files, and finding the file a model's name stands for."""

from pathlib import Path

from critiql.tools.models.files.hashes import file_sha256
from critiql.tools.models.files.hub_name import is_hub_name
from critiql.tools.models.files.partial import Partial
from critiql.tools.models.files.pulled import find_pulled, note_of
from critiql.tools.models.files.registry import ModelRecord, registry
from critiql.tools.models.model import ModelError
from critiql.tools.settings import settings


def stored_file(record: ModelRecord) -> Path:
    """Where the model's file lies in the local store, present or not."""
    return settings().models / record.file


def record_of(name: str) -> ModelRecord:
    """What the model of a name must be: of the registry, or of the hub as it was when it was pulled.

    Raises:
        ModelError: an unknown name, or a model of the hub that was never pulled.
    """
    full = registry().full_name(name)
    if not is_hub_name(full):
        return registry().get(name)
    found = find_pulled(full)
    if found is None:
        raise ModelError(f"The model {name} is not on this machine. Pull it with: critiql models pull {name}")
    return found


def is_here(record: ModelRecord) -> bool:
    """Whether the model's file is in the local store, whatever it holds."""
    return stored_file(record).is_file()


def resolve(name: str) -> Path:
    """The file of a model: a path to a .gguf as given, or a name looked up in the local store.

    Raises:
        ModelError: no such file, an unknown name, or a stored file that is not what it must be.
    """
    if name.lower().endswith(".gguf") and not is_hub_name(name):
        return _given(Path(name).expanduser())
    record = record_of(name)
    file = stored_file(record)
    verify(record)
    return file


def verify(record: ModelRecord) -> None:
    """Check the stored file against the registry's size and hash.

    Raises:
        ModelError: it is missing or differs.
    """
    file = stored_file(record)
    if not file.is_file():
        raise ModelError(
            f"The model {record.name} is not on this machine (looked for {file}). "
            f"Pull it ({record.size / 1e9:.1f} GB) with: critiql models pull {record.name}"
        )
    again = f"Remove it and pull it again: critiql models pull {record.name}"
    try:
        size = file.stat().st_size
        if size != record.size:
            raise ModelError(
                f"{file} has {size:,} bytes instead of {record.size:,}: it is incomplete. {again}"
            )
        found = file_sha256(file)
    except OSError as error:
        raise ModelError(f"{file} cannot be read: {error.strerror}. {again}") from error
    if found != record.sha256:
        raise ModelError(f"{file} has SHA-256 {found[:12]}… instead of {record.sha256[:12]}…. {again}")


def remove(record: ModelRecord) -> bool:
    """Delete the stored file and what a broken-off pull left; False when there was nothing.

    Raises:
        ModelError: it cannot be deleted.
    """
    file = stored_file(record)
    there = file.exists() or Partial(file).size() > 0
    try:
        file.unlink(missing_ok=True)
        Partial(file).discard()
        note_of(record).unlink(missing_ok=True)
    except OSError as error:
        raise ModelError(f"{file} cannot be removed: {error.strerror}.") from error
    return there


def _given(path: Path) -> Path:
    if not path.is_file():
        raise ModelError(f"There is no model file {path}.")
    return path
