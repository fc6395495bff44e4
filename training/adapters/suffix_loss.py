"""What a model makes of answers that follow a prefix: their loss, over the prefix's frozen state."""

# the extra `lora` is not there where types are checked
# pyright: reportMissingImports=false

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from critiql.tools.arrays import Floats
from critiql.training.adapters.suffix_attention import PrefixState, after, prefix_state
from critiql.training.adapters.suffix_examples import SuffixExample, Tokens, batches_of, length_of

STATES_BYTES = 3 * 2**30
"""Memory for the states of prefixes; the least recently used is computed again."""


@dataclass
class PrefixStates:
    """States of prefixes, computed when they are first asked for."""

    model: Any
    """With an adapter, which is off while a prefix is computed."""
    room: int | None = None
    """Bytes of memory for them; None is `STATES_BYTES`."""
    _states: "OrderedDict[Tokens, PrefixState]" = field(default_factory=OrderedDict)

    def of(self, prefix: Tokens) -> PrefixState:
        """The state of a prefix."""
        if prefix not in self._states:
            with self.model.disable_adapter():
                self._states[prefix] = prefix_state(backbone(self.model), prefix)
        self._states.move_to_end(prefix)
        room = STATES_BYTES if self.room is None else self.room
        while len(self._states) > 1 and sum(map(_bytes, self._states.values())) > room:
            self._states.popitem(last=False)
        return self._states[prefix]


def backbone(model: Any) -> Any:
    """The blocks of a model with an adapter, without the output layer."""
    return model.get_base_model().model


def loss_of(model: Any, states: PrefixStates, batch: Sequence[SuffixExample]) -> Any:
    """Mean loss of the answers' tokens, a tensor of one number, in nats; all examples follow one prefix."""
    state = states.of(batch[0].prefix)
    hidden, wanted = answer_states(model, state, batch)
    logits = model.get_base_model().lm_head(hidden).float()
    return torch.nn.functional.cross_entropy(logits, wanted)


def answer_states(model: Any, state: PrefixState, batch: Sequence[SuffixExample]) -> tuple[Any, Any]:
    """The hidden states answers are drawn from, shape (tokens of all answers, size), and those tokens."""
    device = model.device
    longest = max(map(length_of, batch)) - 1
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


def mean_loss(adapted: Any, states: PrefixStates, examples: Sequence[SuffixExample], batch: int) -> float:
    """Mean loss of the answers' tokens, in nats a token; every batch counts by its tokens."""
    adapted.eval()
    whole = tokens = 0.0
    with torch.no_grad():
        for numbers in batches_of(examples, batch):
            step = [examples[number] for number in numbers]
            weight = sum(len(one.answer) for one in step)
            whole += weight * float(loss_of(adapted, states, step))
            tokens += weight
    return round(whole / tokens, 4)


def next_logits(adapted: Any, states: PrefixStates, example: SuffixExample) -> Floats:
    """Logits of an answer's first token, shape (vocabulary,)."""
    adapted.eval()
    with torch.no_grad():
        hidden, _ = answer_states(adapted, states.of(example.prefix), [example])
        logits = adapted.get_base_model().lm_head(hidden[:1])[0]
    return np.asarray(logits.cpu().float().numpy(), np.float32)


def _bytes(state: PrefixState) -> int:
    return sum(tensor.nbytes for layer in state for tensor in layer)
