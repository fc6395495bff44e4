"""The error-token heads that come with the package, found by the model and the prompt they belong to."""

from functools import cache
from pathlib import Path

from critiql.agent.detect.prompt import detector_digest
from critiql.tools.errors.head import Head, HeadError, belongs_to, load

SHIPPED = Path(__file__).parent / "shipped"
"""Heads that come with the package, `<name>.safetensors` with the card beside it."""


def head_for(model: str, name: str, path: str = "") -> Head:
    """The head that reads a model's hidden states after the detector's prompt.

    Args:
        model: the model's fingerprint.
        name: what the user calls the model, for the message.
        path: the head's file; empty takes the shipped one that fits.

    Raises:
        HeadError: none fits; the message says what to do.
    """
    if path:
        return load(Path(path), model=model, prompt=detector_digest())
    found = _shipped(SHIPPED).get((model, detector_digest()))
    if found is None:
        raise HeadError(
            f"No error-token head is shipped for the model {name} and this version's prompt. Name its file "
            "(detector_head; check: --head), train one with critiql train detector, or let the model write "
            "what it finds (semantic_detector=prompt; check: --detector prompt)."
        )
    return load(found)


def is_shipped(model: str) -> bool:
    """Whether a head comes with the package for a model's fingerprint and this version's prompt."""
    return (model, detector_digest()) in _shipped(SHIPPED)


@cache
def _shipped(folder: Path) -> dict[tuple[str, str], Path]:
    """The heads of a folder by model and prompt."""
    return {belongs_to(file): file for file in sorted(folder.glob("*.safetensors"))}
