"""Fitting an adapter that acts after a prefix: batches of one database over its frozen key-value state.

The prefix of a database is computed once, by the model without the adapter, as the runtime does it (activated
LoRA, arXiv 2504.12397). So only the suffix is computed forwards and backwards, a seventh of the tokens.
"""

# the extra `lora` is not there where types are checked
# pyright: reportMissingImports=false

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import torch
from peft import get_peft_model_state_dict, set_peft_model_state_dict

from critiql.training.adapters.suffix_attention import PrefixState, after, prefix_state
from critiql.training.data.example_file import rank

KEEP_EVERY = 10
"""Steps between two states on disk."""
STATES_BYTES = 3 * 2**30
"""Memory for the states of prefixes; the least recently used is computed again."""

Tokens = tuple[int, ...]


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


class SuffixExample(NamedTuple):
    """One example in the model's own tokens."""

    prefix: Tokens
    suffix: Tokens
    answer: Tokens
    """With the token that ends it."""


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
    left: float
    """Seconds, as fast as until now."""


@dataclass
class PrefixStates:
    """States of prefixes, computed when they are first asked for."""

    model: Any
    """With an adapter, which is off while a prefix is computed."""
    _states: "OrderedDict[Tokens, PrefixState]" = field(default_factory=OrderedDict)

    def of(self, prefix: Tokens) -> PrefixState:
        """The state of a prefix."""
        if prefix not in self._states:
            with self.model.disable_adapter():
                self._states[prefix] = prefix_state(backbone(self.model), prefix)
        self._states.move_to_end(prefix)
        while len(self._states) > 1 and sum(map(_bytes, self._states.values())) > STATES_BYTES:
            self._states.popitem(last=False)
        return self._states[prefix]


def backbone(model: Any) -> Any:
    """The blocks of a model with an adapter, without the output layer."""
    return model.get_base_model().model


def fit_suffix(
    model: Any,
    states: PrefixStates,
    examples: Sequence[SuffixExample],
    plan: SuffixPlan,
    kept: Path,
    tell: Callable[[Progress], None] = lambda _: None,
) -> Fitted:
    """Fit the adapter of a model; stopped, the same call goes on from the state last kept.

    Args:
        model: with the adapter to begin with; changed.
        states: of the prefixes.
        examples: what to learn.
        plan: how.
        kept: file of the state; removed by nobody, since it says that the fit is done.
        tell: called after each step.

    Raises:
        ValueError: the file holds the state of another fit.
    """
    torch.manual_seed(plan.seed)
    learnt = [one for one in model.parameters() if one.requires_grad]
    optimiser = torch.optim.AdamW(learnt, lr=plan.rate, weight_decay=0.0)
    identity = sha256(repr((asdict(plan), examples)).encode()).hexdigest()
    losses, before = _resume(model, optimiser, identity, kept)
    batches = batches_of(examples, plan)
    started, first = time.perf_counter(), len(losses)
    model.train()
    for number in range(first, len(batches)):
        for group in optimiser.param_groups:
            group["lr"] = plan.rate * share_of_rate(number, len(batches), plan.warm_up)
        optimiser.zero_grad()
        loss = loss_of(model, states, [examples[one] for one in batches[number]])
        loss.backward()
        torch.nn.utils.clip_grad_norm_(learnt, plan.clip)
        optimiser.step()
        losses.append(float(loss.detach()))
        passed = time.perf_counter() - started
        if (number + 1) % KEEP_EVERY == 0 or number + 1 == len(batches):
            _keep(model, optimiser, identity, Fitted(losses, before + passed), kept)
        left = passed / (number + 1 - first) * (len(batches) - number - 1)
        tell(Progress(number + 1, len(batches), losses[-1], passed, left))
    model.eval()
    return Fitted(losses, before + time.perf_counter() - started)


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
    batches = batches_of(examples, plan)
    middling = sorted(batches, key=lambda batch: sum(_length(examples[one]) for one in batch))
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


def batches_of(examples: Sequence[SuffixExample], plan: SuffixPlan) -> list[list[int]]:
    """The examples of every step, by number: of one prefix and like length, each epoch in its own order."""
    by_prefix: dict[Tokens, list[int]] = {}
    for number, example in enumerate(examples):
        by_prefix.setdefault(example.prefix, []).append(number)
    batches: list[list[int]] = []
    for epoch in range(plan.epochs):
        mine: list[list[int]] = []
        for numbers in by_prefix.values():
            order = sorted(numbers, key=lambda one: (_length(examples[one]), rank(plan.seed, epoch, one)))
            mine += [order[start : start + plan.batch] for start in range(0, len(order), plan.batch)]
        batches += sorted(mine, key=lambda batch: rank(plan.seed, epoch, *batch))
    return batches


def share_of_rate(number: int, steps: int, warm_up: float) -> float:
    """What part of the highest rate a step has."""
    rising = max(1, round(steps * warm_up))
    if number < rising:
        return (number + 1) / rising
    return 0.5 * (1 + math.cos(math.pi * (number - rising) / max(1, steps - rising)))


def loss_of(model: Any, states: PrefixStates, batch: Sequence[SuffixExample]) -> Any:
    """Mean loss of the answers' tokens, a tensor of one number, in nats; all examples follow one prefix."""
    state = states.of(batch[0].prefix)
    hidden, wanted = answer_states(model, state, batch)
    logits = model.get_base_model().lm_head(hidden).float()
    return torch.nn.functional.cross_entropy(logits, wanted)


def answer_states(model: Any, state: PrefixState, batch: Sequence[SuffixExample]) -> tuple[Any, Any]:
    """The hidden states answers are drawn from, shape (tokens of all answers, size), and those tokens."""
    device = model.device
    longest = max(map(_length, batch)) - 1
    tokens = torch.zeros((len(batch), longest), dtype=torch.long, device=device)
    asked = torch.zeros((len(batch), longest), dtype=torch.bool, device=device)
    for place, (_, suffix, answer) in enumerate(batch):
        whole = [*suffix, *answer[:-1]]
        tokens[place, : len(whole)] = torch.tensor(whole, device=device)
        asked[place, len(suffix) - 1 : len(whole)] = True
    start = state[0].keys.shape[1]
    places = torch.arange(start, start + longest, device=device)[None].expand(len(batch), -1)
    with after(state):
        hidden = backbone(model)(input_ids=tokens, position_ids=places, use_cache=False).last_hidden_state
    wanted = torch.tensor([token for one in batch for token in one.answer], device=device)
    return hidden[asked], wanted


def _length(example: SuffixExample) -> int:
    return len(example.suffix) + len(example.answer)


def _bytes(state: PrefixState) -> int:
    return sum(tensor.nbytes for layer in state for tensor in layer)


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


def _resume(model: Any, optimiser: Any, identity: str, kept: Path) -> Fitted:
    """Put the kept state back; what was done until then."""
    if not kept.exists():
        return Fitted([], 0.0)
    state = torch.load(kept, weights_only=True, map_location=model.device)
    if state["fit"] != identity:
        raise ValueError(
            f"{kept} is the state of a fit with other data or settings. Remove it, or name another --out."
        )
    set_peft_model_state_dict(model, state["adapter"])
    optimiser.load_state_dict(state["optimiser"])
    return Fitted(list(state["losses"]), float(state["seconds"]))
