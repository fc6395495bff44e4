"""From the agent's answer to the row of the store: scored, with its cost, without the benchmark's text."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from critiql.agent.answer import Answer
from critiql.evals.data.item import Item
from critiql.evals.run.call_cache import Call
from critiql.evals.run.scoring import Score, Scorers
from critiql.evals.run.store import StoredAnswer

SILENT = ("writing",)
"""Events that only say what another one says again in full."""


@dataclass(frozen=True)
class Asked:
    """What asking an item gave."""

    item: Item
    answer: Answer | None
    """None when the agent failed."""
    seconds: float
    calls: list[Call] = field(default_factory=list)
    error: str | None = None


def stored(asked: Asked, scorers: Scorers) -> StoredAnswer:
    """Score an answer and each of its candidates."""
    item, answer = asked.item, asked.answer
    if answer is None:
        return _failed(asked)
    queries = [candidate.get("sql", "") for candidate in answer.candidates]
    verdicts = _verdicts(item, [answer.sql, *queries], scorers.execution)
    measured = scorers.bird(item, answer.sql) if scorers.bird else None
    return StoredAnswer(
        index=item.index,
        db_id=item.db_id,
        sql=answer.sql,
        status=answer.status,
        stopped=answer.stopped,
        correct=verdicts[answer.sql],
        suite_correct=scorers.suite(item, [answer.sql])[0] if scorers.suite else None,
        difficulty=item.difficulty,
        confidence=answer.confidence,
        model_calls=answer.model_calls,
        seconds=round(asked.seconds, 3),
        model_seconds=round(answer.tokens().seconds, 3),
        usage={role: tokens.model_dump() for role, tokens in answer.usage().items()},
        candidates=[
            {**candidate, "correct": verdicts[sql]}
            for candidate, sql in zip(answer.candidates, queries, strict=True)
        ],
        decisions=[dict(decision) for decision in answer.decisions],
        events=[event for event in answer.events if event["type"] not in SILENT],
        calls=[call.key for call in asked.calls],
        replayed=_replayed(asked),
        soft_f1=measured and measured.soft_f1,
        reward=measured and measured.reward,
    )


def _verdicts(item: Item, queries: Sequence[str], score: Score) -> dict[str, bool | None]:
    distinct = list(dict.fromkeys(queries))
    return dict(zip(distinct, score(item, distinct), strict=True))


def _failed(asked: Asked) -> StoredAnswer:
    """An agent that fails has not answered: wrong, and counted by itself."""
    item = asked.item
    return StoredAnswer(
        index=item.index,
        db_id=item.db_id,
        sql="",
        status="error",
        stopped="error",
        correct=False,
        suite_correct=None,
        difficulty=item.difficulty,
        confidence=None,
        model_calls=sum(call.costs for call in asked.calls),
        seconds=round(asked.seconds, 3),
        model_seconds=round(sum(call.usage.seconds for call in asked.calls), 3),
        usage={},
        candidates=[],
        calls=[call.key for call in asked.calls],
        replayed=_replayed(asked),
        error=asked.error,
    )


def _replayed(asked: Asked) -> int:
    return sum(call.cached and call.costs for call in asked.calls)
