"""What the commands that train share: the model to fit, data that cannot be used, libraries that talk."""

# the extra `lora` is not there where types are checked
# pyright: reportMissingImports=false

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from critiql.cli.screen import exit_codes
from critiql.cli.screen.extras import extra
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


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Keep what transformers and peft tell developers, while a model is read, from the person who trains."""
    with extra("lora"):
        from transformers.utils import logging
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="transformers|peft")
        yield


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
