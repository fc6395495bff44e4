"""A cut model: the rows of the tokens in use, and everything else as it was."""

from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType, GGUFReader, GGUFWriter, quants

from critiql.tools.models.files.gguf_copy import close
from critiql.training.parcels.cut_model import cut_model, renumbered, vocabulary_of

ROWS = np.random.default_rng(0).normal(size=(40, 64)).astype(np.float32)
BLOCK = np.random.default_rng(1).normal(size=(16, 64)).astype(np.float32)


def whole_model(path: Path) -> None:
    writer = GGUFWriter(path, "llama")
    writer.add_uint32("llama.block_count", 1)
    writer.add_array("llama.something", [1, 2, 3])
    writer.add_uint32("llama.vocab_size", len(ROWS))
    writer.add_array("tokenizer.ggml.tokens", [f"word {number}" for number in range(len(ROWS))])
    quantised = GGMLQuantizationType.Q8_0
    writer.add_tensor("token_embd.weight", quants.quantize(ROWS, quantised), raw_dtype=quantised)
    writer.add_tensor("blk.0.attn_q.weight", quants.quantize(BLOCK, quantised), raw_dtype=quantised)
    writer.add_tensor("output_norm.weight", ROWS[0])
    close(writer)


def test_only_the_embeddings_are_cut(tmp_path: Path) -> None:
    whole_model(tmp_path / "whole.gguf")
    vocabulary = vocabulary_of([(7, 3), (39, 3)])
    cut_model(tmp_path / "whole.gguf", vocabulary, tmp_path / "cut.gguf")
    whole, cut = GGUFReader(tmp_path / "whole.gguf"), GGUFReader(tmp_path / "cut.gguf")
    told = {key: cut.fields[key].contents() for key in ("llama.block_count", "llama.something")}
    assert list(told.values()) == [1, [1, 2, 3]]
    assert cut.fields["llama.vocab_size"].contents() == 3
    assert "tokenizer.ggml.tokens" not in cut.fields
    before, after = ({one.name: one for one in reader.tensors} for reader in (whole, cut))
    assert (after["token_embd.weight"].data == before["token_embd.weight"].data[[3, 7, 39]]).all()
    assert all(
        after[name].tensor_type == one.tensor_type and (after[name].data == one.data).all()
        for name, one in before.items()
        if name != "token_embd.weight"
    )


def test_tokens_have_the_numbers_of_their_rows() -> None:
    vocabulary = vocabulary_of([(7, 3), (39, 3)])
    assert vocabulary == [3, 7, 39]
    numbers = {token: number for number, token in enumerate(vocabulary)}
    assert renumbered((39, 3, 7), numbers) == (2, 0, 1)
