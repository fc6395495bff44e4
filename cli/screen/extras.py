"""Commands that need an optional part of the package say so instead of failing on an import."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def extra(name: str) -> Iterator[None]:
    """Import inside this block what comes with an extra.

    Raises:
        SystemExit: something is not installed; the message says how to install it.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise SystemExit(
            f"This command needs {error.name}, which is not installed. Install it with: "
            f"pip install 'critiql[{name}]'"
        ) from None
