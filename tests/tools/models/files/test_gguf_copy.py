"""A copy of a GGUF: other fields, fewer tokens, and everything else as it was."""

from pathlib import Path

import numpy as np
from gguf import GGUFReader, GGUFWriter

from critiql.tools.models.files.gguf_copy import close, fields_of, write_copy

ROWS = np.arange(8, dtype=np.float32).reshape(4, 2)


def test_a_copy_has_the_fields_it_was_given_and_the_rows_of_its_tokens(tmp_path: Path) -> None:
    writer = GGUFWriter(tmp_path / "whole.gguf", "llama")
    writer.add_uint32("llama.block_count", 1)
    writer.add_array("llama.something", [1, 2, 3])
    writer.add_tensor("output.weight", ROWS)
    writer.add_tensor("output_norm.weight", ROWS[0])
    close(writer)
    whole = GGUFReader(tmp_path / "whole.gguf")
    fields = fields_of(whole)
    assert {key: field.value for key, field in fields.items()} == {
        "llama.block_count": 1,
        "llama.something": [1, 2, 3],
    }
    fields["llama.block_count"] = fields["llama.block_count"]._replace(value=7)
    write_copy(whole, fields, [3, 1], tmp_path / "copy.gguf")
    copy = GGUFReader(tmp_path / "copy.gguf")
    assert {key: field.value for key, field in fields_of(copy).items()} == {
        "llama.block_count": 7,
        "llama.something": [1, 2, 3],
    }
    rows = {tensor.name: tensor.data for tensor in copy.tensors}
    assert (rows["output.weight"] == ROWS[[3, 1]]).all()
    assert (rows["output_norm.weight"] == ROWS[0]).all()
