"""What the detector's head learns from: fitted without some examples, judged on the actor's own queries.

Run as `python -m critiql.training.head.data_ablation --data detector.jsonl --states states.sqlite`; prints
one JSON object. The counterpart of ErrorLLM's table 3 without rule-based and without LLM-assisted
perturbation.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from critiql.agent.context import DEFAULT_MODEL
from critiql.evals.run.cached_models import cached
from critiql.evals.run.call_cache import CallCache
from critiql.evals.statistics import auc, group_folds
from critiql.tools.arrays import Floats
from critiql.tools.errors.head import NULL
from critiql.tools.errors.types.catalogue import ERROR_TYPES
from critiql.training.data.detector_data import ACTOR_RIGHT, ACTOR_WRONG
from critiql.training.data.example_file import Row, read_rows
from critiql.training.head.detector import FOLDS, L2, STEPS
from critiql.training.head.head_fit import best_f1, fit, labels
from critiql.training.head.states import hidden_states

TYPES = [error.number for error in ERROR_TYPES]


def of_actor(row: Row) -> bool:
    """Whether the actor wrote the query itself."""
    return row["kind"] in (ACTOR_RIGHT, ACTOR_WRONG)


KEPT: dict[str, Callable[[Row], bool]] = {
    "all": lambda _row: True,
    "actor": of_actor,
    "gold": lambda row: not of_actor(row),
}
"""By name which examples a head is fitted on: all, the actor's queries, gold and perturbed gold."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the states that are not kept yet, fit, judge, and write the figures to standard output."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="JSONL of critiql train data")
    parser.add_argument("--states", type=Path, required=True, help="SQLite file that keeps hidden states")
    parser.add_argument("--model", default=DEFAULT_MODEL)
    options = parser.parse_args(arguments)
    rows = read_rows(options.data)
    hidden = hidden_states(rows, cached(options.model, CallCache(options.states)))
    sys.stdout.write(json.dumps(ablation(rows, hidden), indent=1) + "\n")


def ablation(rows: Sequence[Row], hidden: Floats) -> dict[str, Row]:
    """By what a head was fitted on, how well it judges the actor's queries of databases it has not seen.

    Args:
        rows: detector examples, the actor's among them.
        hidden: their hidden states, shape (n, d).
    """
    return {name: _figures(rows, held_out(rows, hidden, kept)) for name, kept in KEPT.items()}


def held_out(rows: Sequence[Row], hidden: Floats, kept: Callable[[Row], bool]) -> Floats:
    """Probabilities of every token for every example, shape (n, ROWS), by heads of other databases.

    Args:
        rows: detector examples.
        hidden: their hidden states, shape (n, d).
        kept: which examples a head is fitted on.
    """
    targets = labels([row["types"] for row in rows])
    groups = [row["db_id"] for row in rows]
    found = np.zeros(targets.shape, np.float32)
    for fold in group_folds(groups, min(FOLDS, len(set(groups)))):
        chosen = [number for number in fold.fit if kept(rows[number])]
        head = fit(hidden[chosen], targets[chosen], l2=L2, steps=STEPS)
        found[fold.validate] = head.probabilities(hidden[fold.validate])
    return found


def _figures(rows: Sequence[Row], probabilities: Floats) -> Row:
    places = [number for number, row in enumerate(rows) if of_actor(row)]
    targets, judged = labels([rows[number]["types"] for number in places]), probabilities[places]
    wrong = ~targets[:, NULL]
    likeliest = np.array(TYPES)[judged[:, TYPES].argmax(axis=1)]
    area = auc([float(one) for one in judged[:, NULL]], [bool(one) for one in ~wrong])
    return {
        "judged": len(places),
        "auc": [round(area.value, 4), round(area.low, 4), round(area.high, 4)],
        "best_f1": round(best_f1(1 - judged[:, NULL], wrong), 4),
        "likeliest_type_right": round(float(targets[wrong, likeliest[wrong]].mean()), 4),
    }


if __name__ == "__main__":
    main()
