"""What answering cost: calls, tokens per role, seconds, cache hits; a question and a thousand questions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from critiql.evals.statistics import Estimate, mean, proportion


@dataclass(frozen=True, slots=True)
class Spent:
    """What one role, or all of them, spent on a question."""

    calls: int = 0
    tokens_in: int = 0
    """Prompt tokens, those with a cached state included."""
    tokens_out: int = 0
    tokens_cached: int = 0
    """Part of `tokens_in` whose state was already there."""
    seconds: float = 0.0
    """Time in the model."""

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(
            self.calls + other.calls,
            self.tokens_in + other.tokens_in,
            self.tokens_out + other.tokens_out,
            self.tokens_cached + other.tokens_cached,
            self.seconds + other.seconds,
        )


@dataclass(frozen=True, slots=True)
class QuestionCost:
    """What one question cost."""

    seconds: float
    """Wall-clock time of the question."""
    roles: Mapping[str, Spent] = field(default_factory=dict)
    cache_hits: int = 0
    """Calls answered by the call cache; their tokens and seconds are those of the first time."""

    @property
    def total(self) -> Spent:
        """All roles together."""
        return sum(self.roles.values(), Spent())


@dataclass(frozen=True, slots=True)
class RoleCost:
    """Means of one role over all questions; a question in which it was silent counts as 0."""

    calls: Estimate
    tokens_in: Estimate
    tokens_out: Estimate
    tokens_cached: Estimate
    seconds: Estimate

    def per_thousand(self) -> Spent:
        """The same for 1,000 questions, rounded to whole calls and tokens."""
        return Spent(
            calls=round(1000 * self.calls.value),
            tokens_in=round(1000 * self.tokens_in.value),
            tokens_out=round(1000 * self.tokens_out.value),
            tokens_cached=round(1000 * self.tokens_cached.value),
            seconds=1000 * self.seconds.value,
        )


@dataclass(frozen=True, slots=True)
class Cost:
    """What a system costs."""

    questions: int
    seconds: Estimate
    """Wall-clock time a question."""
    total: RoleCost
    roles: Mapping[str, RoleCost]
    cache_hits: Estimate
    """Share of the calls that the call cache answered."""


def cost(questions: Sequence[QuestionCost]) -> Cost:
    """Means per question, with standard errors.

    Raises:
        ValueError: there are no questions.
    """
    if not questions:
        raise ValueError("There is no question to take the cost of.")
    names = sorted({name for question in questions for name in question.roles})
    calls = sum(question.total.calls for question in questions)
    return Cost(
        questions=len(questions),
        seconds=mean([question.seconds for question in questions]),
        total=_means([question.total for question in questions]),
        roles={name: _means([q.roles.get(name, Spent()) for q in questions]) for name in names},
        cache_hits=proportion(sum(question.cache_hits for question in questions), calls),
    )


def _means(spent: Sequence[Spent]) -> RoleCost:
    return RoleCost(
        calls=mean([s.calls for s in spent]),
        tokens_in=mean([s.tokens_in for s in spent]),
        tokens_out=mean([s.tokens_out for s in spent]),
        tokens_cached=mean([s.tokens_cached for s in spent]),
        seconds=mean([s.seconds for s in spent]),
    )
