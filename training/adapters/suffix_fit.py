"""Fitting an adapter that acts after a prefix: batches of one database over its frozen key-value state.

The prefix of a database is computed once, by the model without the adapter, as the runtime does it (activated
LoRA, arXiv 2504.12397). So only the suffix is computed forwards and backwards, a seventh of the tokens.
"""

# the extra `lora` is not there where types are checked
# pyright: reportMissingImports=false

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import torch
from peft import get_peft_model_state_dict, set_peft_model_state_dict

from critiql.training.adapters.suffix_examples import SuffixExample, batches_of, length_of
from critiql.training.adapters.suffix_loss import PrefixStates, loss_of

KEEP_EVERY = 10
"""Steps between two states on disk."""


@dataclass(frozen=True)
class SuffixPlan:
    """How an adapter is fitted."""

    layers: tuple[str, ...] = ("q_proj", "k_proj", "v_proj", "o_proj")
    """Linear layers of every block that get one."""
    rank: int = 16
    alpha: float = 32.0
    epochs: int = 1
    batch: int = 8
    """Examples of one database in one step."""
    rate: float = 3e-4
    """Highest learning rate: it rises to it in a straight line, and falls to 0 as a cosine does."""
    warm_up: float = 0.05
    """Part of the steps in which the rate rises."""
    clip: float = 1.0
    """Longest gradient."""
    seed: int = 0
    start: str = ""
    """Hash of the adapter that it goes on from; none where the weights are fresh."""
    seconds: float | None = None
    """The fit ends by then, and the rate falls with the time: what was not learnt until then is left out."""


class Fitted(NamedTuple):
    """What a fit came to, over all processes that took part in it."""

    losses: list[float]
    """Of each step, in nats a token of the answers."""
    seconds: float


class Expected(NamedTuple):
    """How long a fit will take."""

    steps: int
    step: float
    """Seconds of one step, measured."""
    prefixes: float
    """Seconds for the states of all prefixes, as long each as the one that was measured."""

    @property
    def seconds(self) -> float:
        """Of the whole."""
        return self.steps * self.step + self.prefixes


class Progress(NamedTuple):
    """How far a fit is."""

    step: int
    steps: int
    loss: float
    """Of the last step, in nats a token."""
    seconds: float
    """Since this process began to fit."""
    pace: float
    """Seconds a step, of the steps that this process took."""
    left: float
    """Seconds, as fast as until now."""


def fit_suffix(
    model: Any,
    states: PrefixStates,
    examples: Sequence[SuffixExample],
    plan: SuffixPlan,
    kept: Path | None,
    tell: Callable[[Progress], None] = lambda _: None,
) -> Fitted:
    """Fit the adapter of a model; stopped, the same call goes on from the state last kept.

    Args:
        model: with the adapter to begin with; changed.
        states: of the prefixes.
        examples: what to learn.
        plan: how.
        kept: file of the state; removed by nobody, since it says that the fit is done. None keeps none.
        tell: called after each step.

    Raises:
        ValueError: the file holds the state of another fit.
    """
    torch.manual_seed(plan.seed)
    learnt = [one for one in model.parameters() if one.requires_grad]
    optimiser = torch.optim.AdamW(learnt, lr=plan.rate, weight_decay=0.0)
    identity = sha256(repr((asdict(plan), examples)).encode()).hexdigest()
    losses, before = _resume(model, optimiser, identity, kept)
    batches = batches_of(examples, plan.batch, plan.epochs, plan.seed)
    started, first = time.perf_counter(), len(losses)
    model.train()
    for number in range(first, len(batches)):
        place = _place(number, len(batches), time.perf_counter() - started, plan.seconds)
        if place >= len(batches):
            break
        for group in optimiser.param_groups:
            group["lr"] = plan.rate * share_of_rate(place, len(batches), plan.warm_up)
        optimiser.zero_grad()
        loss = loss_of(model, states, [examples[one] for one in batches[number]])
        loss.backward()
        torch.nn.utils.clip_grad_norm_(learnt, plan.clip)
        optimiser.step()
        losses.append(float(loss.detach()))
        passed = time.perf_counter() - started
        if kept is not None and ((number + 1) % KEEP_EVERY == 0 or number + 1 == len(batches)):
            _keep(model, optimiser, identity, Fitted(losses, before + passed), kept)
        pace = passed / (number + 1 - first)
        left = pace * (len(batches) - number - 1)
        tell(Progress(number + 1, len(batches), losses[-1], passed, pace, left))
    model.eval()
    return Fitted(losses, before + time.perf_counter() - started)


def _place(number: int, steps: int, passed: float, seconds: float | None) -> int:
    """Where a fit is among its steps: where it has little time, the time says it."""
    return number if seconds is None else max(number, int(passed / seconds * steps))


def expected(
    model: Any, states: PrefixStates, examples: Sequence[SuffixExample], plan: SuffixPlan
) -> Expected:
    """Measure one prefix and one step, of middling length; nothing is learnt from it.

    Args:
        model: with the adapter.
        states: of the prefixes; keeps the one that was computed.
        examples: what will be learnt.
        plan: how.
    """
    batches = batches_of(examples, plan.batch, plan.epochs, plan.seed)
    middling = sorted(batches, key=lambda batch: sum(length_of(examples[one]) for one in batch))
    batch = [examples[one] for one in middling[len(middling) // 2]]
    begun = time.perf_counter()
    states.of(batch[0].prefix)
    prefix = time.perf_counter() - begun
    begun = time.perf_counter()
    model.train()
    loss_of(model, states, batch).backward()
    model.zero_grad()
    step = time.perf_counter() - begun
    return Expected(len(batches), step, prefix * (len({one.prefix for one in examples}) - 1))


def share_of_rate(number: int, steps: int, warm_up: float) -> float:
    """What part of the highest rate a step has."""
    rising = max(1, round(steps * warm_up))
    if number < rising:
        return (number + 1) / rising
    return 0.5 * (1 + math.cos(math.pi * (number - rising) / max(1, steps - rising)))


def _keep(model: Any, optimiser: Any, identity: str, fitted: Fitted, kept: Path) -> None:
    part = kept.with_name(f"{kept.name}.part")
    torch.save(
        {
            "fit": identity,
            "losses": fitted.losses,
            "seconds": fitted.seconds,
            "adapter": get_peft_model_state_dict(model),
            "optimiser": optimiser.state_dict(),
        },
        part,
    )
    part.replace(kept)


def _resume(model: Any, optimiser: Any, identity: str, kept: Path | None) -> Fitted:
    """Put the kept state back; what was done until then."""
    if kept is None or not kept.exists():
        return Fitted([], 0.0)
    state = torch.load(kept, weights_only=True, map_location=model.device)
    if state["fit"] != identity:
        raise ValueError(
            f"{kept} is the state of a fit with other data or settings. Remove it, or name another --out."
        )
    set_peft_model_state_dict(model, state["adapter"])
    optimiser.load_state_dict(state["optimiser"])
    return Fitted(list(state["losses"]), float(state["seconds"]))
