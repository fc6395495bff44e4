"""A LoRA adapter as the GGUF that llama.cpp puts over a model: names and order of its weights."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from gguf import MODEL_ARCH_NAMES, GGUFReader, GGUFType, GGUFValueType, GGUFWriter, Keys, get_tensor_name_map

from critiql.tools.arrays import Floats
from critiql.tools.models.files.gguf_copy import close
from critiql.tools.models.local.after_prefix import INVOCATION

PERMUTED = ("self_attn.q_proj", "self_attn.k_proj")
"""What llama.cpp stores in its own order in files of the architecture `llama`: the two halves of each head
interleaved."""


class Pair(NamedTuple):
    """What is added to the weights of one layer: scale times `b` times `a`."""

    a: Floats
    """Shape (rank, in)."""
    b: Floats
    """Shape (out, rank)."""


@dataclass(frozen=True)
class Architecture:
    """What of a model its adapter's file depends on."""

    name: str
    blocks: int
    heads: int
    key_heads: int


def architecture_of(model: Path) -> Architecture:
    """Read the architecture of a GGUF.

    Raises:
        ValueError: it is one whose order of weights is not known here.
    """
    reader = GGUFReader(model)

    def field(key: str) -> Any:
        found = reader.get_field(key)
        return found.contents() if found is not None else None

    name = field("general.architecture")
    if name not in ("llama", "qwen2"):
        raise ValueError(
            f"{model.name} has the architecture {name}; adapters are trained for llama and qwen2. Name "
            "another model, or bring an adapter made elsewhere: any LoRA in a GGUF is taken."
        )
    heads = field(f"{name}.attention.head_count")
    return Architecture(
        name, field(f"{name}.block_count"), heads, field(f"{name}.attention.head_count_kv") or heads
    )


def write_adapter(
    pairs: Mapping[str, Pair],
    alpha: float,
    architecture: Architecture,
    out: Path,
    *,
    invocation: Sequence[int] = (),
    short: bool = False,
) -> None:
    """Write an adapter; a file that is there is replaced only when all of it is written.

    Args:
        pairs: by module as transformers names it (`model.layers.0.self_attn.q_proj`).
        alpha: what is added is weighed by alpha / rank.
        architecture: of the model it belongs to.
        out: the GGUF to write.
        invocation: the tokens from whose first one on it acts; none where it acts on all.
        short: write the weights in 16 bits.

    Raises:
        ValueError: a module has no counterpart in a GGUF.
    """
    part = out.with_name(f"{out.name}.part")
    part.parent.mkdir(parents=True, exist_ok=True)
    writer = GGUFWriter(part, architecture.name)
    writer.add_type(GGUFType.ADAPTER)
    writer.add_string(Keys.Adapter.TYPE, "lora")
    writer.add_float32(Keys.Adapter.LORA_ALPHA, alpha)
    if invocation:
        writer.add_key_value(INVOCATION, list(invocation), GGUFValueType.ARRAY, sub_type=GGUFValueType.UINT32)
    kind = np.float16 if short else np.float32
    for module, pair in sorted(pairs.items()):
        name = tensor_name(module, architecture)
        writer.add_tensor(f"{name}.weight.lora_a", np.ascontiguousarray(pair.a, kind))
        writer.add_tensor(f"{name}.weight.lora_b", in_file_order(module, pair.b, architecture).astype(kind))
    close(writer)
    part.replace(out)


def read_adapter(path: Path, modules: Iterable[str], architecture: Architecture) -> dict[str, Pair]:
    """Read the weights of an adapter that `write_adapter` wrote.

    Args:
        path: its file.
        modules: those that it must have weights for, as transformers names them.
        architecture: of the model it belongs to.

    Raises:
        ValueError: the file is no adapter of these modules.
    """
    tensors = {one.name: one.data for one in GGUFReader(path).tensors}
    named = {module: f"{tensor_name(module, architecture)}.weight.lora_" for module in modules}
    if {f"{name}{half}" for name in named.values() for half in "ab"} != set(tensors):
        raise ValueError(f"{path} has weights for other layers. Train with the --layers it was trained with.")
    return {
        module: Pair(
            np.asarray(tensors[f"{name}a"], np.float32),
            from_file_order(module, np.asarray(tensors[f"{name}b"], np.float32), architecture),
        )
        for module, name in named.items()
    }


def tensor_name(module: str, architecture: Architecture) -> str:
    """The name a GGUF has for a module, without its ending.

    Raises:
        ValueError: it has none.
    """
    kind = next(number for number, name in MODEL_ARCH_NAMES.items() if name == architecture.name)
    found = get_tensor_name_map(kind, architecture.blocks).get_name(module)
    if found is None:
        raise ValueError(f"A GGUF of the architecture {architecture.name} has no weights called {module}.")
    return found


def in_file_order(module: str, b: Floats, architecture: Architecture) -> Floats:
    """The rows of `b`, shape (out, rank), as a GGUF of that architecture orders the weights' own."""
    return _reordered(module, b, architecture, lambda size: (2, size // 2))


def from_file_order(module: str, b: Floats, architecture: Architecture) -> Floats:
    """The rows of `b` as transformers orders them: undoes `in_file_order`."""
    return _reordered(module, b, architecture, lambda size: (size // 2, 2))


def _reordered(
    module: str, b: Floats, architecture: Architecture, split: Callable[[int], tuple[int, int]]
) -> Floats:
    """The rows of each head, split in two and put together the other way round."""
    if architecture.name != "llama" or not module.endswith(PERMUTED):
        return np.ascontiguousarray(b, np.float32)
    heads = architecture.heads if module.endswith(PERMUTED[0]) else architecture.key_heads
    parts = b.reshape(heads, *split(len(b) // heads), b.shape[1])
    return np.ascontiguousarray(parts.swapaxes(1, 2).reshape(b.shape), np.float32)
