"""The hosted path for real: the small model behind llama.cpp's server on loopback."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from llama_server import start, url_of

from critiql.tools.models.hosted import HostedModel
from critiql.tools.models.model import (
    ContextOverflowError,
    ModelError,
    Prompt,
    Sampling,
    TransientModelError,
)

pytestmark = [pytest.mark.model, pytest.mark.server, pytest.mark.enable_socket]

PROMPT = Prompt("You answer in one word.", "Is the sky blue? Answer True or False.")
PORT = 18123
URL = url_of(PORT)


@pytest.fixture(scope="module")
def servers() -> Iterator[list[subprocess.Popen[bytes]]]:
    running: list[subprocess.Popen[bytes]] = []
    yield running
    for server in running:
        server.terminate()
        server.wait(20)


@pytest.fixture
def model(servers: list[subprocess.Popen[bytes]], small_model_path: Path) -> HostedModel:
    if not servers:
        servers.append(start(small_model_path, "small", PORT, "--n_ctx", "512", "--logits_all", "true"))
    return HostedModel.from_spec(f"openai:small@{URL}")


def test_an_answer_is_streamed(model: HostedModel) -> None:
    shown: list[str] = []
    generation = model.generate(PROMPT, Sampling(max_tokens=8, seed=1), shown.append)
    assert generation.text == "".join(shown) != ""
    assert generation.finish_reason in ("stop", "length")
    assert generation.usage.prompt_tokens > 10
    again = model.generate(PROMPT, Sampling(max_tokens=8, seed=1))
    assert again.text == generation.text


def test_stop_strings_reach_the_server(model: HostedModel) -> None:
    whole = model.generate(PROMPT, Sampling(max_tokens=12)).text
    middle = whole[len(whole) // 2 :][:3]
    cut = model.generate(PROMPT, Sampling(max_tokens=12, stop=(middle,)))
    assert cut.finish_reason == "stop"
    assert cut.text == whole.partition(middle)[0]


def test_choices_agree_with_the_runtime_on_the_same_weights(
    model: HostedModel, small_model_path: Path
) -> None:
    from critiql.tools.models.local.model import LocalModel
    from critiql.tools.models.local.prefix_store import PrefixStore
    from critiql.tools.models.local.runtime import LlamaRuntime

    choices = [["True"], ["False"]]
    hosted = model.choose(PROMPT, choices)
    runtime = LlamaRuntime(small_model_path, threads=1, prefixes=PrefixStore(None, 0))
    local = LocalModel("small", runtime).choose(PROMPT, choices)
    runtime.close()
    seen = [place for place, logprob in enumerate(hosted.logprobs) if logprob > min(hosted.logprobs)]
    assert seen
    for place in seen:
        assert hosted.logprobs[place] == pytest.approx(local.logprobs[place], abs=1e-3)


def test_a_prompt_that_does_not_fit_is_named(model: HostedModel) -> None:
    too_long = Prompt("word " * 600, "?")
    with pytest.raises(ContextOverflowError, match="does not fit"):
        model.choose(too_long, [["True"], ["False"]])
    with pytest.raises(TransientModelError, match="cannot be read"):  # this server streams nothing then
        model.generate(too_long, Sampling(max_tokens=4))


def test_an_endpoint_that_is_not_there_may_come_back(model: HostedModel) -> None:
    with pytest.raises(TransientModelError, match="cannot be reached") as raised:
        HostedModel.from_spec("openai:small@http://127.0.0.1:9/v1").generate(PROMPT, Sampling())
    assert isinstance(raised.value, ModelError)
