"""Copies of a GGUF in which something is otherwise: some of its fields, or fewer tokens.

Made with the gguf package; blocks stay quantised as they are.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from gguf import GGUFReader, GGUFValueType, GGUFWriter, Keys

BY_TOKEN = ("token_embd.weight", "output.weight")
"""What has a row for each token."""


class Field(NamedTuple):
    """What a GGUF says of itself under one key."""

    value: Any
    kind: GGUFValueType
    of: GGUFValueType | None = None
    """What an array is made of."""


def fields_of(reader: GGUFReader) -> dict[str, Field]:
    """What the file says of itself by key, but for its architecture and the form of the file."""
    return {
        key: Field(field.contents(), field.types[0], field.types[1] if len(field.types) > 1 else None)
        for key, field in reader.fields.items()
        if key != Keys.General.ARCHITECTURE and not key.startswith("GGUF.")
    }


def write_copy(reader: GGUFReader, fields: Mapping[str, Field], tokens: Sequence[int], out: Path) -> None:
    """Write a model with these fields, and of what has a row for each token with these rows alone.

    Args:
        reader: the model.
        fields: what the copy says of itself, beside the model's architecture.
        tokens: by their old numbers; a token's place here is its new one.
        out: the GGUF to write.
    """
    writer = GGUFWriter(out, reader.fields[Keys.General.ARCHITECTURE].contents())
    for key, field in fields.items():
        writer.add_key_value(key, field.value, field.kind, sub_type=field.of)
    rows = np.asarray(tokens)
    for tensor in reader.tensors:
        data = tensor.data[rows] if tensor.name in BY_TOKEN else tensor.data
        writer.add_tensor(tensor.name, data, raw_dtype=tensor.tensor_type)
    close(writer)


def close(writer: GGUFWriter) -> None:
    """Write out what a writer was given."""
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
