"""A model that an endpoint serves in words is a critic without log-probabilities."""

import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from critiql.agent.calls import FALSE, TRUE
from critiql.evals.studies.chat_endpoint import endpoint
from critiql.evals.studies.words_only import reply
from critiql.tools.models.factory import load_model
from critiql.tools.models.model import Prompt


@pytest.fixture
def spec(scripted: Callable[..., Any]) -> Iterator[str]:
    """The name of a model, served in a thread, that says False and explains itself."""
    server = endpoint(partial(reply, model=scripted(["False, since it counts"])), 0)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"openai:words@http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.server
@pytest.mark.enable_socket
def test_its_word_is_the_whole_verdict(spec: str) -> None:
    true, false = load_model(spec).choose(Prompt("Tables: item", "Is it right?"), (TRUE, FALSE)).logprobs
    assert (true, false) == (-50.0, 0.0)
