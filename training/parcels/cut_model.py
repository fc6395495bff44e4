"""A model with the embeddings of some tokens alone: a smaller file, in which tokens have new numbers."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from gguf import GGUFReader, GGUFValueType, GGUFWriter, Keys, ReaderField

BY_TOKEN = ("token_embd.weight", "output.weight")
"""What has a row for each token."""


def vocabulary_of(sequences: Iterable[Iterable[int]]) -> list[int]:
    """The tokens that occur, in order; a token's place is its new number."""
    return sorted({token for sequence in sequences for token in sequence})


def renumbered(tokens: Iterable[int], numbers: Mapping[int, int]) -> tuple[int, ...]:
    """Tokens by their new numbers."""
    return tuple(numbers[token] for token in tokens)


def cut_model(model: Path, vocabulary: Sequence[int], out: Path) -> None:
    """Write a model with the embeddings of these tokens alone; blocks stay quantised as they are.

    Its softmax runs over these tokens only, so a loss is a little lower than the whole model's. The file has
    no tokeniser: it is for training on tokens, and answers nobody.

    Args:
        model: a GGUF.
        vocabulary: tokens to keep, in order.
        out: the GGUF to write.
    """
    reader = GGUFReader(model)
    name = reader.fields[Keys.General.ARCHITECTURE].contents()
    size = Keys.LLM.VOCAB_SIZE.format(arch=name)
    writer = GGUFWriter(out, name)
    for key, field in reader.fields.items():
        if key.startswith(f"{name}.") and key != size:
            _copy_field(writer, key, field)
    writer.add_uint32(size, len(vocabulary))
    rows = np.asarray(vocabulary)
    for tensor in reader.tensors:
        kept = tensor.data[rows] if tensor.name in BY_TOKEN else tensor.data
        writer.add_tensor(tensor.name, kept, raw_dtype=tensor.tensor_type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _copy_field(writer: GGUFWriter, key: str, field: ReaderField) -> None:
    kind, *of = field.types
    sub = of[0] if kind is GGUFValueType.ARRAY else None
    writer.add_key_value(key, field.contents(), kind, sub_type=sub)
