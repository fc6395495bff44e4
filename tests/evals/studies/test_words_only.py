"""A model that an endpoint serves in words is a critic without log-probabilities."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from critiql.agent.calls import FALSE, TRUE
from critiql.evals.studies.words_only import reply
from critiql.tools.models.factory import load_model
from critiql.tools.models.model import Prompt


@pytest.mark.server
@pytest.mark.enable_socket
def test_its_word_is_the_whole_verdict(scripted: Callable[..., Any], serve: Callable[..., str]) -> None:
    url = serve(partial(reply, model=scripted(["False, since it counts"])))
    spec = f"openai:words@{url}"
    true, false = load_model(spec).choose(Prompt("Tables: item", "Is it right?"), (TRUE, FALSE)).logprobs
    assert (true, false) == (-50.0, 0.0)
