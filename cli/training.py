"""What the commands that train share: the model to fit, and data that cannot be used."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from critiql.cli.screen import exit_codes
from critiql.cli.screen.failures import fail, failures
from critiql.tools.models.factory import make_model
from critiql.tools.models.local.adapter import split_adapter

if TYPE_CHECKING:
    from critiql.tools.models.local.model import LocalModel


@contextmanager
def training_failures() -> Iterator[None]:
    """Data that cannot be used are a sentence, like every other failure."""
    with failures():
        try:
            yield
        except ValueError as error:
            fail(str(error), exit_codes.USAGE)


def local_model(name: str) -> "LocalModel":
    """The model without any adapter that one is fitted to."""
    from critiql.tools.models.local.model import LocalModel

    base, adapter = split_adapter(name)
    model = make_model(base)
    if not isinstance(model, LocalModel):
        raise ValueError(f"{name} does not run here. An adapter is fitted to a local model; name one.")
    if adapter is not None:
        raise ValueError(f"{name} has an adapter already. Name the model without it.")
    return model
