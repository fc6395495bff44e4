"""Why the wrong answers of a run are wrong: by error type, and by whether a right candidate was there.

The types are those by which an answer's tree differs from the gold query's (`tools.errors.difference`). An
answer may show several; a cause counts the answers that show it, `alone` those that show no other. The
comparison is of trees, so a type may name a difference that another reading of the question would allow.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from critiql.evals.data.item import Item
from critiql.evals.run.store import StoredAnswer
from critiql.tools.database.open import get_database
from critiql.tools.errors.label.difference import difference
from critiql.tools.errors.rules import read
from critiql.tools.errors.types.error_type import Finding

UNREADABLE = "unreadable"
"""No query was written, or none that can be parsed."""
NO_TYPE = "no_type"
"""The trees differ in nothing that a type names."""


@dataclass(frozen=True)
class Wrong:
    """One wrong answer."""

    index: int
    causes: frozenset[str]
    executes: bool
    """Whether the query that was answered runs."""
    choice: bool
    """A right candidate was there and was not chosen; otherwise none was supplied."""
    broken: bool
    """The first candidate was right."""


@dataclass(frozen=True)
class Cause:
    """A cause, counted over wrong answers."""

    name: str
    answers: int
    alone: int
    fails: int
    """Answers among these whose query does not run."""
    choice: int
    """Answers among these where a right candidate was there."""
    broken: int
    indices: tuple[int, ...]


def wrong_answers(answers: Iterable[StoredAnswer], items: Mapping[int, Item]) -> list[Wrong]:
    """The wrong answers with their causes; answers whose question is not among the items are left out."""
    return [
        _wrong(answer, items[answer.index])
        for answer in answers
        if answer.correct is False and answer.index in items
    ]


def causes(wrong: Iterable[Wrong]) -> list[Cause]:
    """Counts by cause, the most frequent first."""
    shown: dict[str, list[Wrong]] = defaultdict(list)
    for each in wrong:
        for name in each.causes:
            shown[name].append(each)
    counted = [_cause(name, cases) for name, cases in shown.items()]
    return sorted(counted, key=lambda cause: (-cause.answers, cause.name))


def causes_of(sql: str, item: Item) -> frozenset[str]:
    """Keys of the error types by which a query departs from the gold one."""
    schema = get_database(str(item.database)).schema()
    right, wrong = read(item.gold, schema), read(sql, schema)
    if isinstance(right, Finding) or isinstance(wrong, Finding):
        return frozenset({UNREADABLE})
    return frozenset(difference(right, wrong)) or frozenset({NO_TYPE})


def _wrong(answer: StoredAnswer, item: Item) -> Wrong:
    given = next((c for c in answer.candidates if c.get("sql") == answer.sql), {})
    execution = given.get("execution") or {}
    right = [bool(candidate.get("correct")) for candidate in answer.candidates]
    return Wrong(
        index=answer.index,
        causes=causes_of(answer.sql, item),
        executes=bool(execution.get("ok", answer.status != "failed")),
        choice=any(right),
        broken=right[:1] == [True],
    )


def _cause(name: str, cases: list[Wrong]) -> Cause:
    return Cause(
        name=name,
        answers=len(cases),
        alone=sum(len(case.causes) == 1 for case in cases),
        fails=sum(not case.executes for case in cases),
        choice=sum(case.choice for case in cases),
        broken=sum(case.broken for case in cases),
        indices=tuple(case.index for case in cases),
    )
