"""The card of a trained adapter: its data, its model, and whether llama.cpp computes what was fitted."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

import numpy as np

from critiql.evals.run.provenance import commit
from critiql.tools.arrays import Floats
from critiql.training.data.example_file import Row, counts_by_part


class Compared(NamedTuple):
    """One prompt's next-token logits by both programs, with and without the adapter, shape (vocabulary,)."""

    fitted: Floats
    fitted_plain: Floats
    used: Floats
    used_plain: Floats


def agreement(compared: Sequence[Compared]) -> Row:
    """How well llama.cpp computes what torch fitted.

    The two differ without any adapter, since llama.cpp rounds what passes between layers: so what the adapter
    changes is compared, and the difference without it stands beside.
    """
    effects = [(one.fitted - one.fitted_plain, one.used - one.used_plain) for one in compared]
    return {
        "prompts": len(compared),
        "same_next_token": fmean(float(one.fitted.argmax() == one.used.argmax()) for one in compared),
        "effect_correlation": round(min(float(np.asarray(np.corrcoef(pair))[0, 1]) for pair in effects), 5),
        "mean_effect": _mean(fitted for fitted, _ in effects),
        "mean_difference": _mean(one.fitted - one.used for one in compared),
        "mean_difference_without": _mean(one.fitted_plain - one.used_plain for one in compared),
    }


def adapter_card(rows: Sequence[Row], fit: Row, compared: Row, data: Path, out: Path) -> Row:
    """What an adapter was made from, and what it reaches.

    Args:
        rows: the examples that were used.
        fit: settings and losses.
        compared: see `agreement`.
        data: the file they came from.
        out: the adapter's file.
    """
    return {
        **fit,
        "agreement": compared,
        "data": {"sha256": sha256(data.read_bytes()).hexdigest(), "by_part": counts_by_part(rows)},
        "sha256": sha256(out.read_bytes()).hexdigest(),
        "commit": commit(),
        "date": datetime.now(UTC).date().isoformat(),
    }


def _mean(differences: Iterable[Floats]) -> float:
    return round(fmean(float(np.abs(one).mean()) for one in differences), 5)
