"""The card of a trained head: its data, its model, its prompt, and how good it is."""

from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from critiql.evals.provenance import commit
from critiql.training.detector import L2, STEPS, Fitted, plain, thresholds_of
from critiql.training.example_file import Row, counts_by_part


def head_card(fitted: Fitted, rows: list[Row], data: Path, out: Path, model: str) -> Row:
    """What a head was made from and what it reaches; NaN figures become null.

    Args:
        fitted: the head and its figures.
        rows: the examples that were used.
        data: the file they came from.
        out: the head's own file.
        model: name of the model; its fingerprint is the head's.
    """
    head = fitted.head
    return {
        "model": {"name": Path(model).name, "fingerprint": head.model, "width": int(head.weights.shape[1])},
        "prompt": head.prompt,
        "fit": {"l2": L2, "steps": STEPS, "start": "zeros"},
        "thresholds": thresholds_of(head),
        "validation": plain(fitted.validation),
        "data": {"sha256": sha256(data.read_bytes()).hexdigest(), "by_part": counts_by_part(rows)},
        "sha256": sha256(out.read_bytes()).hexdigest(),
        "commit": commit(),
        "date": datetime.now(UTC).date().isoformat(),
    }
