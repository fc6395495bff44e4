"""A model with the embeddings of some tokens alone: a smaller file, in which tokens have new numbers."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from gguf import GGUFReader, GGUFValueType, Keys

from critiql.tools.models.files.gguf_copy import Field, fields_of, write_copy


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
    kept = {key: field for key, field in fields_of(reader).items() if key.startswith(f"{name}.")}
    kept[Keys.LLM.VOCAB_SIZE.format(arch=name)] = Field(len(vocabulary), GGUFValueType.UINT32)
    write_copy(reader, kept, vocabulary, out)
