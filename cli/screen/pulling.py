"""Pulling a model with its licence said first and a bar for how far it is."""

from collections.abc import Iterable
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from critiql.tools.models.files.download import prepare
from critiql.tools.models.files.download import pull as pull_model
from critiql.tools.models.files.hub_name import is_hub_name
from critiql.tools.models.files.pulled import find_pulled
from critiql.tools.models.files.registry import ModelRecord
from critiql.tools.models.files.store import is_here
from critiql.tools.models.local.adapter import split_adapter
from critiql.tools.schema.quoting import escape


def pull_shown(name: str) -> tuple[ModelRecord, Path]:
    """Get a model into the local store; returns what it must be, and where it is.

    Raises:
        ModelError: it cannot be had.
    """
    err = Console(stderr=True)
    record = prepare(name)
    said = f"{record.name}: {gigabytes(record)}, licence: {record.licence}, SHA-256 {record.sha256[:12]}…"
    err.print(escape(said), markup=False, highlight=False, soft_wrap=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err) as bar:
        task = bar.add_task(record.file.rpartition("/")[2], total=record.size)
        path = pull_model(record, lambda done, _: bar.update(task, completed=done))
        bar.update(task, completed=record.size)
    return record, path


def pull_missing(names: Iterable[str]) -> None:
    """Get those of the hub's models that are named by their full name and are not here yet.

    Raises:
        ModelError: one cannot be had.
    """
    for name in dict.fromkeys(split_adapter(name)[0] for name in names):
        if is_hub_name(name):
            known = find_pulled(name)
            if known is None or not is_here(known):
                pull_shown(name)


def gigabytes(record: ModelRecord) -> str:
    """The size of a model's file in words."""
    return f"{record.size / 1e9:.2f} GB"
