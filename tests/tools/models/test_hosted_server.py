"""The hosted path for real: the small model behind llama.cpp's server on loopback."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

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
URL = f"http://127.0.0.1:{PORT}/v1"
SERVER = [sys.executable, "-m", "llama_cpp.server", "--model_alias", "small", "--n_ctx", "512"]
SERVER += ["--n_threads", "1", "--logits_all", "true", "--host", "127.0.0.1", "--port", str(PORT)]


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
        pytest.importorskip("fastapi", reason="needs llama-cpp-python[server]")
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        command = [*SERVER, "--model", str(small_model_path)]
        environment = {**os.environ, "GOMP_SPINCOUNT": "300"}
        servers.append(subprocess.Popen(command, env=environment, **quiet))  # type: ignore[call-overload]
        wait_until_it_answers(servers[0])
    return HostedModel.from_spec(f"openai:small@{URL}")


def wait_until_it_answers(server: subprocess.Popen[bytes]) -> None:
    for _ in range(240):
        assert server.poll() is None, "the server ended"
        try:
            httpx.get(f"{URL}/models", trust_env=False)
        except httpx.HTTPError:
            time.sleep(0.5)
        else:
            return
    pytest.fail("the server did not answer within 120 seconds")


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
    from critiql.tools.models.local import LocalModel
    from critiql.tools.models.prefix_store import PrefixStore
    from critiql.tools.models.runtime import LlamaRuntime

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
