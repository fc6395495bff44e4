"""The card of a trained head: its data, its model, its prompt, and how good it is."""

from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from critiql.evals.run.provenance import commit
from critiql.training.data.example_file import Row, counts_by_part
from critiql.training.head.detector import L2, STEPS, Fitted, plain, thresholds_of


def head_card(
    fits: Mapping[str, Fitted], start: str, rows: list[Row], data: Path, out: Path, model: str
) -> Row:
    """What a head was made from and what it reaches; NaN figures become null.

    Args:
        fits: by start (`words`, `zeros`) a head and its figures.
        start: which of them is in the file.
        rows: the examples that were used.
        data: the file they came from.
        out: the head's own file.
        model: name of the model; its fingerprint is the head's.
    """
    head = fits[start].head
    return {
        "model": {"name": Path(model).name, "fingerprint": head.model, "width": int(head.weights.shape[1])},
        "prompt": head.prompt,
        "fit": {"l2": L2, "steps": STEPS, "start": start},
        "starts": {name: _compared(fitted) for name, fitted in fits.items()},
        "thresholds": thresholds_of(head),
        "validation": plain(fits[start].validation),
        "data": {"sha256": sha256(data.read_bytes()).hexdigest(), "by_part": counts_by_part(rows)},
        "sha256": sha256(out.read_bytes()).hexdigest(),
        "commit": commit(),
        "date": datetime.now(UTC).date().isoformat(),
    }


def _compared(fitted: Fitted) -> Row:
    """By what two starts are compared."""
    figures = {
        "f1": fitted.validation["detection"]["f1"],
        "null_token_auc": fitted.validation["null_token_auc"],
    }
    compared: Row = plain(figures)
    return compared
