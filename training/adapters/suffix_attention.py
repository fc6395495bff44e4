"""Attention of a suffix over a prefix whose keys and values are given and never learnt.

All suffixes of a batch follow one prefix. Its keys and values are multiplied with the queries of all of
them at once, are copied for none, and get no gradient: only what follows the prefix costs anything.
"""

# the extra `lora` is not there where types are checked
# pyright: reportMissingImports=false

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from transformers import AttentionInterface, DynamicCache
from transformers.integrations.sdpa_attention import sdpa_attention_forward

NAME = "after_prefix"
"""What transformers calls this attention."""


class LayerState(NamedTuple):
    """What a layer keeps of a prefix: tensors of shape (key heads, tokens, head size)."""

    keys: Any
    values: Any


PrefixState = Sequence[LayerState]
"""One state a layer, from the lowest on."""

_prefix: list[PrefixState] = []
"""The prefix that attention sees now; none outside of `after`."""


@contextmanager
def after(prefix: PrefixState) -> Iterator[None]:
    """Let everything computed in this block follow a prefix."""
    _prefix.append(prefix)
    try:
        yield
    finally:
        _prefix.pop()


def prefix_state(model: Any, tokens: Sequence[int]) -> PrefixState:
    """The state of a prefix by itself, as the model computes it without any adapter.

    Args:
        model: a transformers model, its adapters off.
        tokens: at least one.
    """
    cache: Any = DynamicCache()
    with torch.no_grad():
        model(input_ids=torch.tensor([list(tokens)], device=model.device), past_key_values=cache)
    return [LayerState(layer.keys[0].contiguous(), layer.values[0].contiguous()) for layer in cache.layers]


def attend(
    module: Any, query: Any, key: Any, value: Any, mask: Any, scaling: float, **options: Any
) -> tuple[Any, None]:
    """Attention as transformers calls it; shapes (batch, heads, tokens, head size).

    Returns:
        Shape (batch, tokens, heads, head size), and no weights.
    """
    if not _prefix:
        attended: tuple[Any, None] = sdpa_attention_forward(
            module, query, key, value, mask, scaling=scaling, **options
        )
        return attended
    layers: Any = _prefix[-1]
    before = layers[module.layer_idx]
    batch, heads, length, size = query.shape
    groups = heads // key.shape[1]
    # (key heads, batch, queries of all heads that share a key, size): one product with the prefix for all
    asked = (query * scaling).reshape(batch, key.shape[1], groups * length, size).transpose(0, 1)
    seen = asked.reshape(key.shape[1], -1, size) @ before.keys.transpose(1, 2)
    scores = asked @ key.transpose(0, 1).transpose(2, 3) + _causal(length, groups, query)
    both = torch.cat((seen.view(*asked.shape[:3], -1), scores), -1).softmax(-1)
    split = before.keys.shape[1]
    told = both[..., :split].reshape(key.shape[1], -1, split) @ before.values
    told = told.view(asked.shape) + both[..., split:] @ value.transpose(0, 1)
    return told.transpose(0, 1).reshape(batch, heads, length, size).transpose(1, 2).contiguous(), None


def _causal(length: int, groups: int, like: Any) -> Any:
    """Minus infinity for what comes later, shape (groups * length, length)."""
    later = torch.full((length, length), float("-inf"), dtype=like.dtype, device=like.device).triu(1)
    return later.repeat(groups, 1)


AttentionInterface.register(NAME, attend)
