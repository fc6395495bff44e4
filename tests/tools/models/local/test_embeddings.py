"""Rows of a GGUF's output layer, read from files of four tokens."""

from pathlib import Path

import numpy as np
import pytest
from gguf import GGMLQuantizationType, GGUFWriter
from gguf.quants import quantize

from critiql.tools.models.files.gguf_copy import close
from critiql.tools.models.local.embeddings import token_rows
from critiql.tools.models.model import ModelError

WIDTH = 32


def write(path: Path, **tensors: np.ndarray) -> Path:
    """A GGUF that holds nothing but these tensors, quantised to eight bits."""
    writer = GGUFWriter(path, "llama")
    for name, values in tensors.items():
        kind = GGMLQuantizationType.Q8_0
        writer.add_tensor(f"{name}.weight", quantize(values, kind), raw_dtype=kind)
    close(writer)
    return path


def test_rows_of_the_output_layer_go_before_those_of_the_input(tmp_path: Path) -> None:
    rows = np.arange(4 * WIDTH, dtype=np.float32).reshape(4, WIDTH) / 50
    tied = write(tmp_path / "tied.gguf", token_embd=rows)
    assert np.allclose(token_rows(tied, [2, 0]), rows[[2, 0]], atol=0.02)
    untied = write(tmp_path / "untied.gguf", token_embd=rows, output=-rows)
    assert np.allclose(token_rows(untied, [1]), -rows[[1]], atol=0.02)


def test_a_file_without_them_is_refused(tmp_path: Path) -> None:
    other = write(tmp_path / "other.gguf", attention=np.ones((4, WIDTH), np.float32))
    with pytest.raises(ModelError, match="has no token embeddings"):
        token_rows(other, [0])
    (tmp_path / "no.gguf").write_bytes(b"GGUX" + bytes(64))
    with pytest.raises(ModelError, match="cannot be read"):
        token_rows(tmp_path / "no.gguf", [0])
