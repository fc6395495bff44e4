"""Models given as LangChain objects: each role its own, runs apart, and what they cannot do said."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from pydantic import Field

import critiql
from critiql.agent.context import Context
from critiql.agent.models import FIELDS, with_models
from critiql.tools.models.chat_model import ChatModel
from critiql.tools.models.factory import from_chat_model
from critiql.tools.models.model import ModelError, Prompt, Sampling, TransientModelError

QUESTION = "Which items are there?"
PROMPT = Prompt("A database.", "Write SQL.", "SELECT")


class Whole(BaseChatModel):
    """A chat model that gives one text, whole, and keeps what it was sent."""

    text: str
    temperature: float = 1.0
    sent: list[dict[str, Any]] = Field(default_factory=list)
    error: Exception | None = None

    @property
    def _llm_type(self) -> str:
        return "whole"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"text": self.text}

    def _generate(self, messages: list[BaseMessage], stop: Any = None, *_: Any, **more: Any) -> ChatResult:
        self.sent.append({"messages": [str(one.text) for one in messages], "stop": stop, **more})
        if self.error is not None:
            raise self.error
        return ChatResult(generations=[ChatGeneration(message=AIMessage(self.text))])


class Pieces(Whole):
    """The same, word by word, with a count of tokens."""

    def _stream(self, *_: Any, **__: Any) -> Iterator[ChatGenerationChunk]:
        for word in self.text.split(" "):
            yield ChatGenerationChunk(message=AIMessageChunk(f"{word} "))
        usage: Any = {"input_tokens": 7, "output_tokens": 3, "total_tokens": 10}
        done = {"stop_reason": "max_tokens"}
        yield ChatGenerationChunk(message=AIMessageChunk("", usage_metadata=usage, response_metadata=done))


def test_an_object_answers_and_its_role_names_it(shop: Path) -> None:
    actor = Whole(text="SELECT title FROM item")
    answer = critiql.ask(QUESTION, shop, models={"actor": actor}, context=Context(llm_critic="off"))
    assert (answer.sql, answer.rows) == ("SELECT title FROM item", [["chair"], ["table"], ["lamp"]])
    assert {call["role"] for call in answer.calls} == {"actor"}
    assert QUESTION in actor.sent[0]["messages"][1]
    assert actor.sent[0]["temperature"] == 0.0
    assert "seed" not in actor.sent[0], "it has no such field"


def test_without_a_database_the_sample_answers() -> None:
    sql = "SELECT COUNT(*) FROM customers"
    answer = critiql.ask(
        "How many customers are there?", models={"model": Whole(text=sql)}, context=Context(llm_critic="off")
    )
    ran = critiql.run(sql)
    assert isinstance(ran, critiql.Rows)
    assert (answer.sql, answer.rows) == (sql, [list(row) for row in ran.rows])


async def test_two_runs_at_once_do_not_mix(shop: Path) -> None:
    queries = [f"SELECT title FROM item LIMIT {number}" for number in (1, 2, 3)]
    off = Context(llm_critic="off")
    runs = [critiql.aask(QUESTION, shop, models={"model": Pieces(text=sql)}, context=off) for sql in queries]
    answers = await asyncio.gather(*runs)
    assert [answer.sql for answer in answers] == queries
    assert [len(answer.rows) for answer in answers] == [1, 2, 3]


def test_without_log_probabilities_the_critic_gives_no_reading(shop: Path) -> None:
    answer = critiql.ask(QUESTION, shop, models={"model": Whole(text="SELECT title FROM item")})
    assert (answer.sql, answer.status) == ("SELECT title FROM item", "unverified")
    assert answer.candidates[0].get("p_true") is None


def test_a_failing_object_is_a_model_error(shop: Path) -> None:
    broken = Whole(text="", error=LookupError("no quota left"))
    with pytest.raises(critiql.ModelError, match="LookupError: no quota left"):
        critiql.ask(QUESTION, shop, models={"model": broken}, context=Context(llm_critic="off"))


def test_a_role_that_there_is_not_is_said(shop: Path) -> None:
    with pytest.raises(critiql.CritiqlError, match="no role called 'poet'"):
        critiql.ask(QUESTION, shop, models={"poet": "scripted"})


def test_settings_stay_data() -> None:
    first, given = with_models(Context(), {role: Whole(text=role) for role in FIELDS})
    again, _ = with_models(Context(), {role: Whole(text=role) for role in FIELDS})
    assert first == again == Context.model_validate_json(first.model_dump_json())
    assert len(given) == len(FIELDS)
    named, none = with_models(Context(), {"actor": "openai:small"})
    assert (named.actor_model, none) == ("openai:small", {})


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (TimeoutError("slow"), TransientModelError),
        (ConnectionError("away"), TransientModelError),
        (type("Busy", (Exception,), {"status_code": 503})("busy"), TransientModelError),
        (type("Refused", (Exception,), {"status_code": 401})("no key"), ModelError),
    ],
)
def test_errors_of_any_client_are_typed(error: Exception, kind: type[ModelError]) -> None:
    with pytest.raises(ModelError) as raised:
        ChatModel("whole", Whole(text="", error=error)).generate(PROMPT, Sampling())
    assert type(raised.value) is kind


def test_pieces_arrive_and_are_counted() -> None:
    heard: list[str] = []
    made = ChatModel("pieces", Pieces(text="SELECT 1")).generate(PROMPT, Sampling(), heard.append)
    assert heard == ["SELECT ", "1 "]
    assert (made.text, made.finish_reason, made.logprob) == ("SELECT 1 ", "length", None)
    assert (made.usage.prompt_tokens, made.usage.generated_tokens) == (7, 3)
    whole = ChatModel("whole", Whole(text="SELECT 1")).generate(PROMPT, Sampling(stop=("SELECT", ";")))
    assert (whole.text, whole.finish_reason) == ("SELECT 1", "stop")
    assert whole.usage.generated_tokens > 0


def test_one_of_openai_keeps_its_log_probabilities() -> None:
    from langchain_openai import ChatOpenAI
    from pydantic import SecretStr

    from critiql.tools.models.hosted import HostedModel

    made = from_chat_model("mine", ChatOpenAI(model="small", api_key=SecretStr("none")))
    assert isinstance(made, HostedModel)


@pytest.mark.parametrize(("text", "reading"), [("True.", (0.0, -50.0)), ("**False**: no", (-50.0, 0.0))])
def test_a_critic_given_as_an_object_answers_in_words(text: str, reading: tuple[float, float]) -> None:
    found = ChatModel("critic", Whole(text=text)).choose(PROMPT, [["True"], ["False"]])
    assert found.logprobs == reading


def test_the_word_of_an_object_rejects_in_the_published_loop(shop: Path) -> None:
    actor, critic = Whole(text="SELECT title FROM item"), Whole(text="False")
    answer = critiql.ask(
        QUESTION,
        shop,
        graph="ac_sql",
        models={"actor": actor, "llm_critic": critic},
        context=Context(z=2),
    )
    assert [c.get("verdict") for c in answer.candidates] == ["rejected", None]
    assert len(critic.sent) == 1
