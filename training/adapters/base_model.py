"""A local model as transformers and torch know it: its GGUF dequantised, with a LoRA adapter to be fitted.

What is fitted is the model that answers later: the weights are those of the quantised file, so the adapter
also learns to make up for what quantisation lost.
"""

# the extra `lora` is not there where types are checked
# pyright: reportMissingImports=false

from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from peft import LoraConfig, get_peft_model, get_peft_model_state_dict, set_peft_model_state_dict
from transformers import AutoModelForCausalLM

from critiql.tools.arrays import Floats
from critiql.training.adapters.adapter_file import Pair

LAYERS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
"""What gets an adapter: all linear layers of a block."""
ATTENTION = LAYERS[:4]
"""Those of attention alone."""

Precision = Literal["float32", "bfloat16"]

PREFIX = "base_model.model."
A, B = ".lora_A.weight", ".lora_B.weight"


def load_base(path: Path, precision: Precision = "float32", attention: str | None = None) -> Any:
    """The model of a GGUF, on the GPU where there is one.

    Args:
        path: the GGUF.
        precision: of the weights and of what passes between them.
        attention: how transformers shall compute it; None is its own choice.
    """
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.set_float32_matmul_precision("high")
    with redirect_stderr(StringIO()):  # transformers draws a bar here that no setting of its own turns off
        model: Any = AutoModelForCausalLM.from_pretrained(
            str(path.parent),
            gguf_file=path.name,
            dtype=getattr(torch, precision),
            local_files_only=True,
            attn_implementation=attention,
        )
    return model.to(device)


def with_adapter(model: Any, rank: int, alpha: Any, layers: Sequence[str] = LAYERS) -> Any:
    """The model with a fresh adapter in 32 bits that changes nothing yet; only the adapter can be fitted."""
    return get_peft_model(
        model, LoraConfig(r=rank, lora_alpha=alpha, target_modules=list(layers), task_type="CAUSAL_LM")
    )


def fast_precision() -> Precision:
    """The precision this machine multiplies fastest in: 16 bits on a GPU and on a CPU that has them."""
    cpu = torch.cpu.get_capabilities()
    fast = torch.cuda.is_available() or cpu.get("avx512_bf16") or cpu.get("amx_bf16")
    return "bfloat16" if fast else "float32"


def adapter_pairs(model: Any) -> dict[str, Pair]:
    """The adapter's weights, by module as transformers names it."""
    state: Mapping[str, Any] = get_peft_model_state_dict(model)
    arrays = {name: tensor.detach().cpu().float().numpy() for name, tensor in state.items()}
    modules = [name.removesuffix(A) for name in arrays if name.endswith(A)]
    return {module.removeprefix(PREFIX): Pair(arrays[module + A], arrays[module + B]) for module in modules}


def put_pairs(model: Any, pairs: Mapping[str, Pair]) -> None:
    """Give the adapter of a model other weights, by module as `adapter_pairs` names them.

    Raises:
        ValueError: their rank is another.
    """
    for module, pair in adapter_pairs(model).items():
        if pairs[module].a.shape != pair.a.shape:
            raise ValueError(
                f"The adapter to start from has rank {len(pairs[module].a)}, the new one {len(pair.a)}. "
                f"Name --rank {len(pairs[module].a)}."
            )
    halves = {PREFIX + module + A: pair.a for module, pair in pairs.items()}
    halves |= {PREFIX + module + B: pair.b for module, pair in pairs.items()}
    set_peft_model_state_dict(model, {name: torch.from_numpy(half) for name, half in halves.items()})


def next_token_logits(model: Any, tokens: Sequence[int]) -> Floats:
    """Logits after the tokens, shape (vocabulary,)."""
    with torch.no_grad():
        logits = model(torch.tensor([list(tokens)], device=model.device)).logits[0, -1]
    return np.asarray(logits.cpu().float().numpy(), np.float32)
