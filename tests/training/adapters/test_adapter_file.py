"""Adapters as files: names and order are those of the model's own weights."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest
from gguf import GGUFReader

from critiql.training.adapters.adapter_file import (
    Architecture,
    Pair,
    architecture_of,
    in_file_order,
    read_adapter,
    tensor_name,
    write_adapter,
)

LLAMA = Architecture("llama", 2, heads=4, key_heads=2)
RANK, WIDTH = 3, 16


def pair(out: int) -> Pair:
    rng = np.random.default_rng(out)
    return Pair(
        rng.normal(size=(RANK, WIDTH)).astype(np.float32), rng.normal(size=(out, RANK)).astype(np.float32)
    )


def interleaved(weights: np.ndarray, heads: int) -> np.ndarray:
    """Row by row what a converter does to weights: the first row of a head's second half comes second."""
    size = len(weights) // heads
    places = product(range(heads), range(size // 2), (0, 1))
    return weights[[head * size + half * size // 2 + row for head, row, half in places]]


@pytest.mark.parametrize(("module", "heads", "out"), [("q_proj", 4, 16), ("k_proj", 2, 8)])
def test_rows_of_queries_and_keys_lie_as_llama_cpp_has_them(module: str, heads: int, out: int) -> None:
    a, b = pair(out)
    written = in_file_order(f"model.layers.0.self_attn.{module}", b, LLAMA)
    assert np.allclose(written @ a, interleaved(b @ a, heads))
    assert not np.allclose(written, b)


@pytest.mark.parametrize("module", ["self_attn.v_proj", "self_attn.o_proj", "mlp.down_proj"])
def test_other_rows_stay_where_they_are(module: str) -> None:
    b = pair(16).b
    assert (in_file_order(f"model.layers.1.{module}", b, LLAMA) == b).all()
    qwen = Architecture("qwen2", 2, 4, 2)
    assert (in_file_order("model.layers.0.self_attn.q_proj", b, qwen) == b).all()


def test_a_file_says_what_it_is_and_holds_every_pair(tmp_path: Path) -> None:
    pairs = {"model.layers.0.self_attn.q_proj": pair(16), "model.layers.1.mlp.down_proj": pair(16)}
    out = tmp_path / "new/adapter.gguf"
    write_adapter(pairs, 6.0, LLAMA, out)
    reader = GGUFReader(out)
    told = {
        key: reader.fields[key].contents()
        for key in ("general.architecture", "general.type", "adapter.type", "adapter.lora.alpha")
    }
    assert list(told.values()) == ["llama", "adapter", "lora", 6.0]
    tensors = {one.name: one.data for one in reader.tensors}
    assert set(tensors) == {
        f"blk.{name}.weight.lora_{half}" for name in ("0.attn_q", "1.ffn_down") for half in "ab"
    }
    down = pairs["model.layers.1.mlp.down_proj"]
    assert (tensors["blk.1.ffn_down.weight.lora_a"] == down.a).all()
    assert (tensors["blk.1.ffn_down.weight.lora_b"] == down.b).all()
    assert not list(out.parent.glob("*.part"))


@pytest.mark.parametrize("architecture", [LLAMA, Architecture("qwen2", 2, 4, 2)])
def test_a_file_is_read_back_as_it_was_written(architecture: Architecture, tmp_path: Path) -> None:
    pairs = {f"model.layers.1.self_attn.{name}": pair(size) for name, size in (("q_proj", 16), ("k_proj", 8))}
    out = tmp_path / "adapter.gguf"
    write_adapter(pairs, 6.0, architecture, out)
    read = read_adapter(out, pairs, architecture)
    assert all((read[name].a == one.a).all() and (read[name].b == one.b).all() for name, one in pairs.items())
    with pytest.raises(ValueError, match="has weights for other layers"):
        read_adapter(out, ["model.layers.1.self_attn.q_proj"], architecture)


def test_what_has_no_place_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no weights called model\.layers\.0\.router"):
        tensor_name("model.layers.0.router", LLAMA)
    out = tmp_path / "other.gguf"
    write_adapter({"model.layers.0.mlp.down_proj": pair(16)}, 1.0, Architecture("gemma", 2, 4, 2), out)
    with pytest.raises(ValueError, match=r"architecture gemma; adapters are trained for llama and qwen2"):
        architecture_of(out)
