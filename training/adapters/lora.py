"""Fitting a LoRA adapter to examples of any task: the model learns the answer, not the prompt."""

# the extra `lora` is not there where types are checked
# pyright: reportMissingImports=false

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import torch
from peft import get_peft_model_state_dict, set_peft_model_state_dict

from critiql.training.data.order import rank

KEEP_EVERY = 20
"""Steps between two states on disk."""
IGNORED = -100
"""What torch's loss passes over."""


@dataclass(frozen=True)
class Plan:
    """How an adapter is fitted."""

    rank: int = 16
    alpha: float = 32.0
    epochs: int = 2
    batch: int = 8
    rate: float = 1e-4
    """Learning rate of the first step; it falls in a straight line to 0."""
    seed: int = 0


class TokenExample(NamedTuple):
    """One example in the model's own tokens."""

    prompt: tuple[int, ...]
    answer: tuple[int, ...]
    """With the token that ends it."""


def steps_of(plan: Plan, examples: int) -> int:
    """Number of steps, each with up to `batch` examples."""
    return plan.epochs * -(-examples // plan.batch)


def fit_lora(
    model: Any,
    examples: Sequence[TokenExample],
    plan: Plan,
    kept: Path,
    step: Callable[[], None] = lambda: None,
) -> float:
    """Fit the adapter of a model; stopped, the same call goes on from the state last kept.

    Args:
        model: as `with_adapter` gives it; changed.
        examples: what to learn.
        plan: how.
        kept: file of the state; removed by nobody, since it says that the fit is done.
        step: called after each step, for progress.

    Returns:
        The mean loss of the answers' tokens in the last epoch, in nats.

    Raises:
        ValueError: the file holds the state of another fit.
    """
    torch.manual_seed(plan.seed)
    optimiser = torch.optim.AdamW([one for one in model.parameters() if one.requires_grad], lr=plan.rate)
    identity = sha256(repr((asdict(plan), examples)).encode()).hexdigest()
    losses = _resume(model, optimiser, identity, kept)
    for _ in losses:
        step()
    total = steps_of(plan, len(examples))
    model.train()
    for number in range(len(losses), total):
        for group in optimiser.param_groups:
            group["lr"] = plan.rate * (1 - number / total)
        losses.append(
            _descend(model, optimiser, [examples[one] for one in _batch(plan, len(examples), number)])
        )
        if (number + 1) % KEEP_EVERY == 0 or number + 1 == total:
            _keep(model, optimiser, identity, losses, kept)
        step()
    model.eval()
    last = losses[-(total // plan.epochs) :]
    return sum(last) / len(last)


def loss_of(model: Any, example: TokenExample) -> Any:
    """Mean loss of the answer's tokens, a tensor of one number, in nats."""
    tokens = torch.tensor([[*example.prompt, *example.answer]], device=model.device)
    labels = tokens.clone()
    labels[0, : len(example.prompt)] = IGNORED
    return model(input_ids=tokens, labels=labels).loss


def _descend(model: Any, optimiser: Any, batch: Sequence[TokenExample]) -> float:
    """One step; examples go one by one, so that none is padded."""
    optimiser.zero_grad()
    whole = 0.0
    for example in batch:
        loss = loss_of(model, example) / len(batch)
        loss.backward()
        whole += float(loss.detach())
    optimiser.step()
    return whole


def _batch(plan: Plan, examples: int, number: int) -> list[int]:
    """The examples of a step: each epoch has an order of its own."""
    epoch, place = divmod(number, -(-examples // plan.batch))
    order = sorted(range(examples), key=lambda one: rank(plan.seed, epoch, one))
    return order[place * plan.batch : (place + 1) * plan.batch]


def _keep(model: Any, optimiser: Any, identity: str, losses: list[float], kept: Path) -> None:
    part = kept.with_name(f"{kept.name}.part")
    torch.save(
        {
            "fit": identity,
            "losses": losses,
            "adapter": get_peft_model_state_dict(model),
            "optimiser": optimiser.state_dict(),
        },
        part,
    )
    part.replace(kept)


def _resume(model: Any, optimiser: Any, identity: str, kept: Path) -> list[float]:
    """Put the kept state back; the losses of the steps that were done."""
    if not kept.exists():
        return []
    state = torch.load(kept, weights_only=True, map_location=model.device)
    if state["fit"] != identity:
        raise ValueError(
            f"{kept} is the state of a fit with other data or settings. Remove it, or name another --out."
        )
    set_peft_model_state_dict(model, state["adapter"])
    optimiser.load_state_dict(state["optimiser"])
    return list(state["losses"])
