"""What runs on the other machine: put the model together, fit each role's adapter, and stop in time.

`python -m critiql.training.parcels.fit_there FOLDER --out OUT --seconds 480` needs torch, transformers, peft
and gguf, and nothing else of this project's packages. Each adapter is written as soon as it is fitted, in
pieces that may be carried back, and `report.json` says what was reached until then.
"""

# the extra `lora` is not there where types are checked
# pyright: reportMissingImports=false

import json
import sys
import time
from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from statistics import fmean
from typing import Any

import torch

from critiql.training.adapters.adapter_file import Architecture, architecture_of, write_adapter
from critiql.training.adapters.base_model import (
    ATTENTION,
    LAYERS,
    adapter_pairs,
    fast_precision,
    load_base,
    with_adapter,
)
from critiql.training.adapters.suffix_attention import NAME
from critiql.training.adapters.suffix_examples import spread
from critiql.training.adapters.suffix_fit import Fitted, Progress, SuffixPlan, fit_suffix
from critiql.training.adapters.suffix_loss import PrefixStates, mean_loss
from critiql.training.parcels.load import (
    MODEL,
    RoleExamples,
    RoleLoad,
    read_examples,
    read_manifest,
)
from critiql.training.parcels.pieces import join, split

REPORT = "report.json"
VALIDATED = 120
"""Validation examples whose loss is read."""
LAST = 20.0
"""Seconds that are kept for writing what was fitted last."""
GRAPHICS_ROOM = 40 * 2**30
"""Bytes for the states of prefixes on a GPU."""


@dataclass
class There:
    """The other machine: its model, where things lie, and when it has to be done."""

    model: Any
    architecture: Architecture
    out: Path
    ends: float
    """By `time.monotonic`."""
    piece: int
    """Most bytes of a file that is carried back."""
    report: dict[str, Any] = field(default_factory=dict)

    def left(self) -> float:
        """Seconds that are left for fitting."""
        return self.ends - LAST - time.monotonic()


def fit_all(folder: Path, plan: SuffixPlan, there: There) -> None:
    """Fit the adapters of all roles, in the order of the manifest.

    Each has a share of the time by its examples; what one leaves goes to the others.

    Raises:
        ValueError: what was carried is missing or damaged.
    """
    waiting = list(read_manifest(folder).roles)
    while waiting and there.left() > 0:
        share = there.left() * waiting[0].examples / sum(one.examples for one in waiting)
        load = waiting.pop(0)
        fit_role(load, read_examples(load, folder), replace(plan, seconds=share), there)


def fit_role(load: RoleLoad, examples: RoleExamples, plan: SuffixPlan, there: There) -> None:
    """Fit one adapter on the fresh model, write it, and say what it reached."""
    adapted = with_adapter(there.model, plan.rank, plan.alpha, plan.layers)
    states = PrefixStates(adapted, GRAPHICS_ROOM if torch.cuda.is_available() else None)
    some = spread(examples.held, VALIDATED)
    before = mean_loss(adapted, states, some, plan.batch)
    fitted = fit_suffix(adapted, states, examples.train, plan, None, _tell(load.role))
    after = mean_loss(adapted, states, some, plan.batch)
    out = there.out / f"{load.role}.gguf"
    write_adapter(
        adapter_pairs(adapted), plan.alpha, there.architecture, out, invocation=load.invocation, short=True
    )
    pieces = split(out, there.piece, there.out)
    out.unlink()
    there.report[load.role] = {
        **_reached(fitted, plan),
        "validation_loss": {"before": before, "after": after},
        "pieces": [one._asdict() for one in pieces],
    }
    (there.out / REPORT).write_text(json.dumps(there.report, indent=1) + "\n")
    there.model = adapted.unload()


def _reached(fitted: Fitted, plan: SuffixPlan) -> dict[str, Any]:
    losses = fitted.losses or [0.0]
    return {
        "plan": asdict(plan),
        "steps": len(fitted.losses),
        "losses": {"first": round(fmean(losses[:20]), 4), "last": round(fmean(losses[-20:]), 4)},
        "hours": round(fitted.seconds / 3600, 3),
        "hardware": torch.cuda.get_device_name() if torch.cuda.is_available() else "processor",
    }


def _tell(role: str) -> Any:
    def tell(progress: Progress) -> None:
        if progress.step % 50 == 0 or progress.step == progress.steps:
            sys.stderr.write(
                f"{role}: step {progress.step} of {progress.steps}, loss {progress.loss:.3f}, "
                f"{progress.seconds:.0f} s\n"
            )

    return tell


def main(arguments: Sequence[str] | None = None) -> None:
    """Run it from the command line."""
    asked = ArgumentParser(description="Fit the adapters of all roles that were carried here.")
    asked.add_argument("folder", type=Path, help="what critiql train pack wrote")
    asked.add_argument("--out", type=Path, required=True, help="folder of what is carried back")
    asked.add_argument("--seconds", type=float, default=480.0, help="be done by then")
    asked.add_argument("--epochs", type=int, default=3, help="times every example is learnt, if time allows")
    asked.add_argument("--layers", choices=("attention", "all"), default="attention")
    asked.add_argument("--batch", type=int, default=16, help="examples of one database a step")
    asked.add_argument("--rate", type=float, default=3e-4, help="highest learning rate")
    asked.add_argument("--piece-mb", type=float, default=15.0, help="most megabytes of a file carried back")
    given = asked.parse_args(arguments)
    ends = time.monotonic() + given.seconds
    path = given.folder / MODEL
    given.out.mkdir(parents=True, exist_ok=True)
    try:
        join(read_manifest(given.folder).pieces, given.folder, path)
        plan = SuffixPlan(
            ATTENTION if given.layers == "attention" else LAYERS,
            epochs=given.epochs,
            batch=given.batch,
            rate=given.rate,
        )
        model = load_base(path, fast_precision(), NAME)
        piece = round(given.piece_mb * 2**20)
        fit_all(given.folder, plan, There(model, architecture_of(path), given.out, ends, piece))
    except ValueError as error:
        asked.error(str(error))


if __name__ == "__main__":
    main()
