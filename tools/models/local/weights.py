"""The weights of one GGUF file: its handle, its vocabulary and its description of itself."""

import ctypes
from functools import cached_property
from pathlib import Path

from critiql.tools.models.local.llama import first_error, forget_errors, native, start_backend
from critiql.tools.models.local.machine import free_memory
from critiql.tools.models.local.trial import try_out
from critiql.tools.models.model import ModelError

_GGUF_MAGIC = b"GGUF"
_PIECE_BYTES = 256


class Weights:
    """A loaded GGUF. Everything here only reads, so any thread may call it at any time."""

    def __init__(self, path: Path) -> None:
        """Map the file; `ModelError` when it is missing, no GGUF, damaged, or larger than the free memory."""
        self.path = path
        check_is_gguf(path)
        _check_memory(path)
        try_out(path)
        start_backend()
        forget_errors()
        self.handle = native.llama_model_load_from_file(
            str(path).encode(), native.llama_model_default_params()
        )
        if not self.handle:
            raise ModelError(
                f"{path} cannot be loaded: {first_error()}. The file is damaged, unfinished, of an unknown "
                "architecture, or larger than the free memory; pull it again or name another model."
            )
        self.vocab = native.llama_model_get_vocab(self.handle)

    def close(self) -> None:
        """Free the weights. Whoever uses them must have stopped."""
        if self.handle:
            native.llama_model_free(self.handle)
            self.handle = None

    @cached_property
    def vocab_size(self) -> int:
        """Number of tokens in the vocabulary."""
        return int(native.llama_vocab_n_tokens(self.vocab))

    @cached_property
    def embedding_size(self) -> int:
        """Width of a hidden state."""
        return int(native.llama_model_n_embd(self.handle))

    @cached_property
    def trained_context(self) -> int:
        """Longest context in tokens the model was trained for."""
        return int(native.llama_model_n_ctx_train(self.handle))

    @cached_property
    def chat_template(self) -> str | None:
        """The Jinja chat template in the file, if it has one."""
        template = native.llama_model_chat_template(self.handle, None)
        return template.decode(errors="replace") if template else None

    def tokenise(self, text: str, *, special: bool = False, begin: bool = False) -> list[int]:
        """Tokens of a text.

        Args:
            text: any text.
            special: read `<|im_start|>` and its like as control tokens rather than as plain text.
            begin: put the begin-of-sequence token in front where the model wants one.
        """
        data = text.encode(errors="replace")
        room = len(data) + 8
        tokens = (native.llama_token * room)()
        count = native.llama_tokenize(self.vocab, data, len(data), tokens, room, begin, special)
        if count < 0:
            raise ModelError(f"A text of {len(data)} bytes cannot be tokenised by {self.path.name}.")
        found: list[int] = tokens[:count]
        return found

    def piece(self, token: int) -> bytes:
        """The bytes a token stands for; control tokens stand for none."""
        buffer = ctypes.create_string_buffer(_PIECE_BYTES)
        count = native.llama_token_to_piece(self.vocab, token, buffer, _PIECE_BYTES, 0, False)
        return buffer.raw[: max(count, 0)]

    @cached_property
    def end_token(self) -> int:
        """The token that ends the assistant's turn."""
        turn = native.llama_vocab_eot(self.vocab)
        return int(native.llama_vocab_eos(self.vocab) if turn < 0 else turn)

    def ends(self, token: int) -> bool:
        """Whether the token ends a generation."""
        return bool(native.llama_vocab_is_eog(self.vocab, token))


def check_is_gguf(path: Path) -> None:
    """Refuse what is no GGUF by its first bytes; `ModelError`, also when it cannot be read."""
    try:
        with path.open("rb") as file:
            magic = file.read(len(_GGUF_MAGIC))
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror or error}.") from error
    if magic != _GGUF_MAGIC:
        raise ModelError(f"{path} is not a GGUF file: it does not begin with {_GGUF_MAGIC.decode()}.")


def _check_memory(path: Path) -> None:
    """Refuse weights that would not stay in memory: each token reads all of them, from the disk then."""
    size, free = path.stat().st_size, free_memory()
    if free < size:
        raise ModelError(
            f"{path.name} needs {size / 1e9:.1f} GB of memory, and {free / 1e9:.1f} GB are free. "
            "Close something, or use a smaller model."
        )
