"""A model that knows the references: the same question and seed give the same, and all kinds come."""

import json
import threading
from collections.abc import Iterator

import httpx
import pytest

from critiql.evals.studies.reference_model import completion, endpoint, reply, written

GOLD = "SELECT title FROM item WHERE price > 9"
REFERENCES = {"Which items?": GOLD, "Which items? All": "SELECT 2"}


def asked(text: str, **more: object) -> dict[str, object]:
    return {"messages": [{"role": "user", "content": text}], **more}


def test_every_kind_of_query_comes_and_a_seed_repeats_it() -> None:
    queries = [written("Which items?", GOLD, seed) for seed in range(60)]
    assert set(queries) == {
        GOLD,
        "SELECT nonesuch, title FROM item WHERE price > 9",
        "SELECT title FROM item",
        f"{GOLD} LIMIT 1",
    }
    assert 20 <= queries.count(GOLD) <= 40
    assert queries == [written("Which items?", GOLD, seed) for seed in range(60)]


def test_the_longest_question_it_finds_is_the_one_and_a_seed_counts_only_where_it_draws() -> None:
    greedy = [reply(asked("Q: Which items? All", seed=seed), REFERENCES) for seed in range(20)]
    assert set(greedy) == {written("Which items? All", "SELECT 2", 0)}
    drawn = {reply(asked("Q: Which items?", seed=seed, temperature=1), REFERENCES) for seed in range(60)}
    assert len(drawn) == 4
    assert reply(asked("Which items?", max_tokens=1), REFERENCES) in {"True", "False"}


def test_a_stream_and_a_whole_answer_say_the_same() -> None:
    whole, kind = completion(asked("Which items?"), GOLD)
    assert kind == "application/json"
    assert json.loads(whole)["choices"][0]["message"]["content"] == GOLD
    pieces, kind = completion(asked("Which items?", stream=True), GOLD)
    assert kind == "text/event-stream"
    assert pieces.endswith("data: [DONE]\n\n")
    lines = [json.loads(line[6:]) for line in pieces.split("\n\n")[:-2]]
    assert "".join(one["delta"].get("content", "") for line in lines for one in line["choices"]) == GOLD


@pytest.fixture
def url() -> Iterator[str]:
    """An endpoint in a thread, while the test runs."""
    server = endpoint(REFERENCES, 0)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1/chat/completions"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.server
@pytest.mark.enable_socket
def test_it_answers_over_the_wire(url: str) -> None:
    answer = httpx.post(url, json=asked("Which items?"), trust_env=False).json()
    assert answer["choices"][0]["message"]["content"] == written("Which items?", GOLD, 0)
