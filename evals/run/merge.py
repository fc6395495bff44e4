"""Several stores and exports as one, so that runs made apart can be compared and reported together."""

from collections.abc import Collection, Sequence
from contextlib import closing
from pathlib import Path

from critiql.evals.run.export import open_results
from critiql.evals.run.store import Store


def merge(files: Sequence[Path], into: Store, indices: Collection[int] | None = None) -> int:
    """Add the runs and answers of every file; an answer that is there already stays as it is.

    Args:
        files: stores or exports.
        into: where to.
        indices: only these questions; None is all.

    Returns:
        How many answers were added.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: a file is neither store nor export.
    """
    return sum(_add(file, into, indices) for file in files)


def _add(file: Path, into: Store, indices: Collection[int] | None) -> int:
    added = 0
    with closing(open_results(file)) as results:
        for run in results.runs():
            new = [a for a in results.answers(run) if indices is None or a.index in indices]
            if not new:
                continue
            adopted = into.adopt(run)
            done = into.done(adopted)
            for answer in new:
                if answer.index not in done:
                    into.add(adopted, answer)
                    added += 1
    return added
