"""An endpoint over the wire: it says what its function says, whole or as a stream."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import typer

from critiql.evals.studies.chat_endpoint import completion, endpoint

QUERY = "SELECT title FROM item WHERE price > 9"


def request(text: str, **more: object) -> dict[str, object]:
    return {"messages": [{"role": "user", "content": text}], **more}


def test_a_stream_and_a_whole_answer_say_the_same() -> None:
    whole, kind = completion(request("Which items?"), QUERY)
    assert kind == "application/json"
    assert json.loads(whole)["choices"][0]["message"]["content"] == QUERY
    pieces, kind = completion(request("Which items?", stream=True), QUERY)
    assert kind == "text/event-stream"
    assert pieces.endswith("data: [DONE]\n\n")
    lines = [json.loads(line[6:]) for line in pieces.split("\n\n")[:-2]]
    assert "".join(one["delta"].get("content", "") for line in lines for one in line["choices"]) == QUERY


@pytest.mark.server
@pytest.mark.enable_socket
def test_it_answers_over_the_wire(serve: Callable[..., str]) -> None:
    url = serve(lambda body: str(body["messages"][-1]["content"]).upper())
    answer: Any = httpx.post(f"{url}/chat/completions", json=request("Which items?"), trust_env=False).json()
    assert answer["choices"][0]["message"]["content"] == "WHICH ITEMS?"


@pytest.mark.enable_socket
def test_a_port_that_is_taken_is_said() -> None:
    with endpoint(str, 0) as taken, pytest.raises(typer.BadParameter, match="Name another one"):
        endpoint(str, taken.server_port)
