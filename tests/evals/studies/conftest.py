"""What tests of several studies share."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from critiql.evals.studies.chat_endpoint import endpoint

Reply = Callable[[Mapping[str, Any]], str]


@contextmanager
def _served(reply: Reply) -> Iterator[str]:
    server = endpoint(reply, 0)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def serve() -> Iterator[Callable[[Reply], str]]:
    """Serve what a function says while the test runs; gives the base URL."""
    with ExitStack() as stack:
        yield lambda reply: stack.enter_context(_served(reply))
