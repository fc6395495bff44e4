"""Hosted models against an endpoint that lives in the test: no sockets."""

import json
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import pytest
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from critiql.tools.models import hosted
from critiql.tools.models.cancel import CallCancelledError, OutOfTimeError, cancellable, time_limit
from critiql.tools.models.hosted import HostedModel, TopToken, choice_logprobs
from critiql.tools.models.model import (
    ContextOverflowError,
    ModelError,
    Prompt,
    Sampling,
    TransientModelError,
)
from critiql.tools.settings import settings

FIXTURES = Path(__file__).parents[2] / "fixtures/models"
CASES = [json.loads(line) for line in (FIXTURES / "choice_logprobs.jsonl").read_text().splitlines()]
PROMPT = Prompt("Schema", "Question?")
ANSWER = httpx.Client | Callable[[httpx.Request], httpx.Response]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_tokens_speak_for_choices(case: dict[str, Any]) -> None:
    logprobs = choice_logprobs([TopToken(*token) for token in case["top"]], case["choices"])
    assert [math.exp(logprob) for logprob in logprobs] == pytest.approx(case["probabilities"])


def model(answer: Callable[[httpx.Request], httpx.Response]) -> HostedModel:
    client = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    chat = ChatOpenAI(
        model="m",
        base_url="http://host/v1",
        api_key=SecretStr("k"),
        http_async_client=client,
        max_retries=0,
        stream_chunk_timeout=None,
    )
    return HostedModel("openai:m@http://host/v1", chat)


def streaming(*deltas: str, finish: str | None = "stop", usage: bool = True) -> httpx.Response:
    chunks: list[dict[str, Any]] = [{"delta": {"role": "assistant", "content": ""}}]
    chunks += [{"delta": {"content": delta}} for delta in deltas]
    chunks += [{"delta": {}, "finish_reason": finish}] if finish else []
    events = [{"id": "1", "model": "m", "choices": [{"index": 0, **chunk}]} for chunk in chunks]
    if usage:
        counted = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
        counted["prompt_tokens_details"] = {"cached_tokens": 5}  # type: ignore[assignment]
        events.append({"id": "1", "model": "m", "choices": [], "usage": counted})
    lines = [f"data: {json.dumps(event)}\n\n" for event in events]
    body = "".join([*lines, "data: [DONE]\n\n" if finish else ""])
    return httpx.Response(200, headers={"content-type": "text/event-stream"}, content=body)


def test_an_answer_is_streamed_and_counted() -> None:
    asked: list[dict[str, Any]] = []
    shown: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(json.loads(request.content))
        return streaming("SELECT", " 1")

    how = Sampling(temperature=0.5, top_p=0.9, seed=3, max_tokens=20, stop=(";",), grammar="ignored")
    generation = model(answer).generate(PROMPT, how, shown.append)
    assert (generation.text, generation.finish_reason) == ("SELECT 1", "stop")
    assert shown == ["SELECT", " 1"]
    assert generation.usage.prompt_tokens == 7
    assert generation.usage.cached_tokens == 5
    assert generation.usage.generated_tokens == 3
    (body,) = asked
    assert [(message["role"], message["content"]) for message in body["messages"]] == [
        ("system", "Schema"),
        ("user", "Question?"),
    ]
    assert {name: body[name] for name in ("temperature", "top_p", "seed", "stop")} == {
        "temperature": 0.5,
        "top_p": 0.9,
        "seed": 3,
        "stop": [";"],
    }
    assert 20 in (body.get("max_tokens"), body.get("max_completion_tokens"))


def test_usage_is_estimated_where_it_is_not_told() -> None:
    generation = model(lambda _: streaming("SELECT 1", usage=False)).generate(PROMPT, Sampling())
    assert generation.usage.prompt_tokens == 5
    assert generation.usage.generated_tokens == 3


@pytest.mark.parametrize(
    ("response", "kind", "says"),
    [
        (httpx.Response(429, json={"error": {"message": "slow down"}}), TransientModelError, "HTTP 429"),
        (httpx.Response(503, json={"error": {"message": "x"}}), TransientModelError, "HTTP 503"),
        (httpx.Response(401, json={"error": {"message": "x"}}), ModelError, "CRITIQL_OPENAI_API_KEY"),
        (httpx.Response(404, json={"error": {"message": "no such model"}}), ModelError, "no such model"),
        (
            httpx.Response(400, json={"error": {"message": "This model's maximum context length is 10"}}),
            ContextOverflowError,
            "does not fit",
        ),
        (streaming("SEL", finish=None, usage=False), TransientModelError, "broke off"),
        (streaming("SEL", finish="content_filter"), ModelError, "content_filter"),
        (
            httpx.Response(200, headers={"content-type": "text/event-stream"}, content="data: {oops\n\n"),
            TransientModelError,
            "cannot be read",
        ),
    ],
)
def test_failures_are_typed(response: httpx.Response, kind: type[ModelError], says: str) -> None:
    with pytest.raises(kind, match=says) as raised:
        model(lambda _: response).generate(PROMPT, Sampling())
    assert type(raised.value) is kind


@pytest.mark.parametrize(
    ("error", "says"),
    [(httpx.ConnectError("refused"), "cannot be reached"), (httpx.ReadTimeout("late"), "did not answer")],
)
def test_a_network_that_fails_may_work_later(error: Exception, says: str) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        raise error

    with pytest.raises(TransientModelError, match=says):
        model(answer).generate(PROMPT, Sampling())


@pytest.mark.parametrize(
    ("said", "waits"), [("0.4", 0.4), ("600", 0.0), ("-1", 0.0), ("soon", 0.0), ("nan", 0.0)]
)
def test_an_endpoint_is_left_alone_as_long_as_it_asks(said: str, waits: float) -> None:
    busy = httpx.Response(429, headers={"retry-after": said}, json={"error": {"message": "slow down"}})
    answers = [busy, streaming("SELECT 1")]
    asked = model(lambda _: answers.pop(0))
    with pytest.raises(TransientModelError):
        asked.generate(PROMPT, Sampling())
    started = time.monotonic()
    assert asked.generate(PROMPT, Sampling()).text == "SELECT 1"
    assert waits <= time.monotonic() - started < waits + 5


def test_a_call_that_waits_for_its_endpoint_can_be_cancelled() -> None:
    busy = httpx.Response(429, headers={"retry-after": "50"}, json={"error": {"message": "slow down"}})
    asked = model(lambda _: busy)
    with pytest.raises(TransientModelError):
        asked.generate(PROMPT, Sampling())
    with time_limit(0.3), pytest.raises(OutOfTimeError):
        asked.generate(PROMPT, Sampling())


def completion(logprobs: dict[str, Any] | None, text: str = "True") -> httpx.Response:
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": text},
        "finish_reason": "length",
        "logprobs": logprobs,
    }
    usage = {"prompt_tokens": 7, "completion_tokens": 1, "total_tokens": 8}
    body = {"id": "1", "model": "m", "object": "chat.completion", "choices": [choice], "usage": usage}
    return httpx.Response(200, json=body)


def test_choices_are_read_from_the_likeliest_tokens() -> None:
    top = [{"token": "True", "logprob": -0.5}, {"token": "False", "logprob": -1.0}]
    answer = completion({"content": [{"token": "True", "logprob": -0.5, "top_logprobs": top}]})
    reading = model(lambda _: answer).choose(PROMPT, [["True"], ["False"]])
    assert reading.logprobs == pytest.approx((-0.5, -1.0))
    assert reading.usage.prompt_tokens == 7


NO_READINGS: list[Any] = [
    None,
    {},
    {"content": None},
    {"content": []},
    {"content": [{"top_logprobs": []}]},
    {"content": [{"top_logprobs": None}]},
    {"content": [{"top_logprobs": [{"token": "True"}]}]},
    {"content": [{"top_logprobs": [{"token": "True", "logprob": "likely"}]}]},
    {"content": [{"top_logprobs": ["True"]}]},
]


@pytest.mark.parametrize("logprobs", NO_READINGS, ids=json.dumps)
def test_an_endpoint_without_log_probabilities_answers_in_words(logprobs: Any) -> None:
    said = {
        text: model(lambda _, t=text: completion(logprobs, t)) for text in ("**False**, because", "true.")
    }
    readings = [asked.choose(PROMPT, [["True"], ["False"]]).logprobs for asked in said.values()]
    assert readings == [(-50.0, 0.0), (0.0, -50.0)]


@pytest.mark.parametrize("text", ["", "Maybe", "The query is True", "Truely"])
def test_words_that_name_no_choice_are_no_reading(text: str) -> None:
    with pytest.raises(ModelError, match="gives no log-probabilities, and answered none of True, False"):
        model(lambda _: completion(None, text)).choose(PROMPT, [["True"], ["False"]])


def test_an_endpoint_that_refuses_logprobs_is_asked_for_a_word() -> None:
    asked: list[dict[str, Any]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(json.loads(request.content))
        if "logprobs" in asked[-1]:
            return httpx.Response(400, json={"error": {"message": "logprobs is not supported"}})
        return completion(None, "False")

    assert model(answer).choose(PROMPT, [["True"], ["False"]]).logprobs == (-50.0, 0.0)
    assert [("logprobs" in each) for each in asked] == [True, False]


SHAPES = ["{}", "[]", "null", '{"choices": []}', '{"choices": null}', '{"choices": [{}]}', "<html>", ""]


@pytest.mark.parametrize("body", SHAPES)
def test_an_answer_of_another_shape_cannot_be_read(body: str) -> None:
    whole = httpx.Response(200, headers={"content-type": "application/json"}, content=body)
    with pytest.raises(ModelError, match="cannot be read"):
        model(lambda _: whole).choose(PROMPT, [["True"], ["False"]])
    events = httpx.Response(
        200, headers={"content-type": "text/event-stream"}, content=f"data: {body}\n\ndata: [DONE]\n\n"
    )
    with pytest.raises(TransientModelError):
        model(lambda _: events).generate(PROMPT, Sampling())


def test_a_cancelled_call_is_not_made() -> None:
    with cancellable(Event()) as event:
        event.set()
        with pytest.raises(CallCancelledError):
            model(lambda _: completion(None)).choose(PROMPT, [["True"], ["False"]])


def test_cancelling_ends_a_stream() -> None:
    with cancellable(Event()) as event:
        generation = model(lambda _: streaming("a", "b", finish=None, usage=False)).generate(
            PROMPT, Sampling(), lambda _: event.set()
        )
    assert (generation.text, generation.finish_reason) == ("a", "cancelled")


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("CRITIQL_OPENAI_API_KEY", "secret")
    monkeypatch.setenv("CRITIQL_OPENAI_BASE_URL", "http://mine/v1")
    monkeypatch.setenv("OPENAI_API_KEY", "other secret")
    settings.cache_clear()
    yield
    settings.cache_clear()


@pytest.mark.parametrize(
    ("spec", "url", "key"),
    [
        ("openai:gpt", "http://mine/v1", "secret"),
        ("openai:gpt@http://mine/v1", "http://mine/v1", "secret"),
        ("openai:gpt@http://elsewhere/v1", "http://elsewhere/v1", "none"),
    ],
)
@pytest.mark.usefixtures("configured")
def test_the_key_goes_to_the_configured_endpoint_only(spec: str, url: str, key: str) -> None:
    chat = HostedModel.from_spec(spec)._chat
    assert chat.openai_api_base == url
    assert isinstance(chat.openai_api_key, SecretStr)
    assert chat.openai_api_key.get_secret_value() == key


def test_a_spec_without_a_name_or_key_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(ModelError, match="openai:NAME@URL"):
        HostedModel.from_spec("openai:")
    with pytest.raises(ModelError, match="openai:gpt"):
        HostedModel.from_spec("openai:gpt")


def test_tokens_are_estimated_from_the_length() -> None:
    assert hosted.HostedModel("m", model(lambda _: completion(None))._chat).count_tokens("x" * 35) == 10
