"""Names of models on the Hugging Face hub, `hf:OWNER/NAME[:QUANT]`, and which file one means."""

import re
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from critiql.tools.models.model import ModelError

HUB_PREFIX = "hf:"
PREFERRED = ("Q4_K_M", "Q4_K_S", "Q5_K_M", "Q4_0", "Q6_K", "Q8_0")
"""Which quantization is taken where none is named: the first of these that is there."""
_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}", re.ASCII)
_FILE = re.compile(r"[\w.+-]{1,200}", re.ASCII)
_SPLIT = re.compile(r"-(\d{5})-of-(\d{5})$")
_QUANT = re.compile(
    r"(?:^|[-._])((?:UD-)?(?:I?Q|TQ)\d\w*|BF16|FP?16|FP?32|MXFP4\w*)$", re.IGNORECASE | re.ASCII
)
_NO_MODEL = re.compile(r"mmproj|imatrix", re.IGNORECASE)
"""Files beside a model: what lets it see pictures, and what it was quantized by."""


class HubName(NamedTuple):
    """A model of the hub by its name."""

    repository: str
    wanted: str = ""
    """A quantization, or the name of a file; empty leaves the choice to the rule."""

    def __str__(self) -> str:
        """The name as it is written."""
        return f"{HUB_PREFIX}{self.repository}{f':{self.wanted}' if self.wanted else ''}"


def is_hub_name(name: str) -> bool:
    """Whether a model's name is one of the hub."""
    return name.startswith(HUB_PREFIX)


def parse_hub_name(name: str) -> HubName:
    """Read `hf:OWNER/NAME[:QUANT]`.

    Raises:
        ModelError: it is not of that form.
    """
    repository, _, wanted = name.removeprefix(HUB_PREFIX).partition(":")
    if (
        not _REPOSITORY.fullmatch(repository)
        or ".." in repository
        or (wanted and not _FILE.fullmatch(wanted))
    ):
        raise ModelError(
            f"{name[:200]!r} names no model of the hub; write hf:OWNER/NAME or hf:OWNER/NAME:QUANT, "
            "as hf:Qwen/Qwen2.5-Coder-7B-Instruct-GGUF:Q4_K_M."
        )
    return HubName(repository, wanted)


def base_name(file: str) -> str:
    """The last part of a file's path in a repository.

    Raises:
        ModelError: it could not stand in a folder of this machine.
    """
    name = PurePosixPath(file).name
    if not _FILE.fullmatch(name) or name.startswith("."):
        raise ModelError(f"The file {file[:200]!r} of the hub has a name that is not taken. Choose another.")
    return name


def quant_of(file: str) -> str:
    """The quantization a file's name tells, in capitals; empty where it tells none."""
    found = _QUANT.search(_SPLIT.sub("", _stem(file)))
    return found.group(1).upper() if found else ""


def choose_file(name: HubName, files: Iterable[str]) -> str:
    """The one file that a name means.

    Where no quantization is named, it is the first of `PREFERRED` that is there, or the only model.

    Raises:
        ModelError: there is none, it is cut into several files, or it must be named; the message lists what
            can be.
    """
    models = [file for file in files if file.lower().endswith(".gguf") and not _NO_MODEL.search(file)]
    whole = [file for file in models if not _SPLIT.search(_stem(file))]
    if not models:
        raise ModelError(f"{name.repository} holds no GGUF file. Look for a repository that ends in -GGUF.")
    found = _named(name.wanted, whole) if name.wanted else _preferred(whole)
    if found:
        return found
    raise ModelError(_refusal(name, models, whole))


def _named(wanted: str, whole: Sequence[str]) -> str | None:
    """The file of that quantization or of that name; the shortest name where several are."""
    by_name = [file for file in whole if base_name(file).lower() == wanted.lower()]
    by_quant = [file for file in whole if quant_of(file) == wanted.upper()]
    return min(by_name or by_quant, key=len, default=None)


def _preferred(whole: Sequence[str]) -> str | None:
    if len(whole) == 1:
        return whole[0]
    return next((found for quant in PREFERRED if (found := _named(quant, whole))), None)


def _refusal(name: HubName, models: Sequence[str], whole: Sequence[str]) -> str:
    """Why no file was chosen, and what can be."""
    choice = ", ".join(dict.fromkeys(quant_of(file) or base_name(file) for file in whole))
    there = f" Whole files there are: {choice}." if choice else " It holds no whole model file."
    cut = [file for file in models if _SPLIT.search(_stem(file))]
    wanted = name.wanted.upper()
    if cut and (not whole or wanted in {quant_of(file) for file in cut}):
        return (
            f"{name} is cut into several files, and only whole ones are loaded here.{there} "
            "Or join the parts with llama.cpp's `llama-gguf-split --merge`, and name the file."
        )
    if wanted:
        return f"{name.repository} has no {name.wanted[:80]}.{there}"
    return f"{name.repository} has several models and none that is taken by itself. Name one.{there}"


def _stem(file: str) -> str:
    name = PurePosixPath(file).name
    return name[: -len(".gguf")] if name.lower().endswith(".gguf") else name
