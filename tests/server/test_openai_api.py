"""The OpenAI chat protocol, by the `openai` client over the application, without a socket."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import openai
import pytest
from fastapi import FastAPI

from critiql.server.openai_api import DECLINED

COUNT = "SELECT COUNT(*) FROM item"
QUESTION = {"role": "user", "content": "How many items are there?"}


@pytest.fixture
async def front_end(app: FastAPI) -> AsyncIterator[openai.AsyncOpenAI]:
    transport = httpx.ASGITransport(app)
    async with openai.AsyncOpenAI(
        base_url="http://127.0.0.1/v1",
        api_key="none",
        max_retries=0,
        http_client=httpx.AsyncClient(transport=transport),
    ) as client:
        yield client


async def test_the_databases_are_models(front_end: openai.AsyncOpenAI) -> None:
    assert [model.id async for model in front_end.models.list()] == ["critiql/shop"]


async def test_an_answer_with_its_usage(front_end: openai.AsyncOpenAI, scripted: Callable[..., Any]) -> None:
    scripted([COUNT], [0.9])
    done = await front_end.chat.completions.create(model="critiql/shop", messages=[QUESTION])  # type: ignore[list-item]
    assert COUNT in (done.choices[0].message.content or "")
    assert done.choices[0].finish_reason == "stop"
    assert done.usage is not None
    assert done.usage.prompt_tokens >= 100
    assert done.usage.completion_tokens >= 10
    assert done.usage.total_tokens == done.usage.prompt_tokens + done.usage.completion_tokens


async def test_progress_comes_before_the_answer(
    front_end: openai.AsyncOpenAI, scripted: Callable[..., Any]
) -> None:
    scripted([COUNT], [0.9])
    kinds: list[str] = []
    usage = None
    stream = await front_end.chat.completions.create(
        model="critiql/shop",
        messages=[QUESTION],  # type: ignore[list-item]
        stream=True,
        stream_options={"include_usage": True},
    )
    async for chunk in stream:
        usage = chunk.usage or usage
        for choice in chunk.choices:
            thought = (choice.delta.model_extra or {}).get("reasoning_content")
            kinds += ["thought"] if thought else []
            kinds += ["text"] if choice.delta.content else []
    assert kinds[:3] == ["thought"] * 3
    assert kinds[-1] == "text"
    assert kinds.count("text") == 1, "no draft is shown as the answer"
    assert usage is not None
    assert usage.completion_tokens >= 10


async def test_earlier_turns_go_to_the_rewriter(
    front_end: openai.AsyncOpenAI, scripted: Callable[..., Any]
) -> None:
    model = scripted(["How many items cost more than 50?", f"{COUNT} WHERE price > 50"], [0.9])
    messages: Any = [
        {"role": "system", "content": "Be nice."},
        QUESTION,
        {"role": "assistant", "content": "3"},
        {"role": "user", "content": [{"type": "text", "text": "and more than 50?"}]},
    ]
    done = await front_end.chat.completions.create(model="critiql/shop", messages=messages)
    said = done.choices[0].message.content or ""
    assert said.startswith("Understood as: How many items cost more than 50?")
    assert "- How many items are there?" in model.asked[0][1].request


@pytest.mark.parametrize(
    "request_of_its_own",
    [
        {"messages": [{"role": "user", "content": "### Task:\nGenerate a concise title"}]},
        {"messages": [QUESTION], "extra_body": {"metadata": {"task": "title_generation"}}},
    ],
)
async def test_titles_are_declined_without_a_model(
    front_end: openai.AsyncOpenAI, scripted: Callable[..., Any], request_of_its_own: Any
) -> None:
    model = scripted([COUNT])
    done = await front_end.chat.completions.create(model="critiql/shop", **request_of_its_own)
    assert done.choices[0].message.content == DECLINED
    assert model.asked == []


async def test_errors_have_a_status(front_end: openai.AsyncOpenAI) -> None:
    empty: Any = [{"role": "user", "content": " "}]
    with pytest.raises(openai.BadRequestError, match="no message"):
        await front_end.chat.completions.create(model="critiql/shop", messages=empty)
    with pytest.raises(openai.BadRequestError, match="messages"):
        await front_end.chat.completions.create(model="critiql/shop", messages="hello")  # type: ignore[call-overload]


async def test_an_error_in_the_middle_of_a_stream(
    front_end: openai.AsyncOpenAI, scripted: Callable[..., Any]
) -> None:
    stream = await front_end.chat.completions.create(
        model="critiql/shop",
        messages=[QUESTION],  # type: ignore[list-item]
        stream=True,
    )
    with pytest.raises(openai.APIError, match="scripted"):
        async for _ in stream:
            pass
