"""Tasks: versioned data files that name a data set and exactly which of its questions count.

A published number names its task; the indices in the file are the sample, whatever code once drew them.
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from critiql.evals.data.datasets import load
from critiql.evals.data.item import Dataset, Item, Metric
from critiql.evals.data.predictions import read_predictions, with_drafts
from critiql.evals.data.sampling import sample

FOLDER = Path(__file__).parents[1] / "tasks"


@dataclass(frozen=True)
class Questions:
    """What a run asks."""

    label: str
    """Task and version, or data set and how it was sampled."""
    dataset: str
    items: list[Item]
    metric: Metric = "spider"
    """How the answers are scored."""
    other_metric: Metric | None = None
    """The same, where it is not how the data set's authors score."""
    predictions: str = ""
    """Whose queries are the first candidates: a file and its digest; empty: the agent's own."""


def predicted(asked: Questions, file: Path) -> Questions:
    """The same questions, each with its query in a file of another system's predictions.

    Raises:
        ValueError: the file cannot be read, or has no query for a question.
    """
    found = read_predictions(file)
    return replace(asked, items=with_drafts(asked.items, found), predictions=found.label)


def scored_by(asked: Questions, metric: Metric) -> Questions:
    """The same questions, scored as another data set's authors do."""
    return replace(asked, metric=metric, other_metric=None if metric == asked.metric else metric)


def questions(name: str, limit: int | None = None, seed: int = 0, root: Path | None = None) -> Questions:
    """The questions of a task, of a data set, or of a user's own file.

    Args:
        name: file name in `evals/tasks` without `.json`, or what `datasets.load` takes.
        limit: draw only so many, stratified over databases.
        seed: names that draw.
        root: folder of the benchmarks; without it the setting.

    Raises:
        ValueError: there is no such task or data set, or its data are not here.
    """
    task = _task(name)
    data = load(task["dataset"] if task else name, root)
    if data.not_run:
        raise ValueError(f"{data.name} is not run: {data.not_run}.")
    items = _chosen(data, task) if task else list(data.items)
    label = f"{name} v{task['version']}" if task else data.name
    if limit is not None and limit < len(items):
        items, label = sample(items, limit, seed), f"{label}, {limit} drawn with seed {seed}"
    return Questions(label, data.name, items, data.metric)


def names() -> list[str]:
    """Every task, sorted."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def _task(name: str) -> dict[str, Any] | None:
    path = FOLDER / f"{name}.json"
    if not path.is_file():
        return None
    task: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return task


def _chosen(data: Dataset, task: dict[str, Any]) -> list[Item]:
    changed = [file for file, digest in task["sources"].items() if data.sources.get(file) != digest]
    if changed:
        raise ValueError(f"{task['name']} was drawn from other files than these: {', '.join(changed)}.")
    wanted = set(task["indices"])
    chosen = [item for item in data.items if item.index in wanted]
    if len(chosen) < len(wanted):
        raise ValueError(
            f"{len(wanted) - len(chosen)} of the {len(wanted)} questions of {task['name']} are missing, "
            "with their databases. The number would not be comparable; restore the data set."
        )
    return chosen
