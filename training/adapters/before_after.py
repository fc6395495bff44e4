"""What a user's own adapter changes on the pairs that were held out: right before and right after."""

from collections.abc import Sequence
from typing import NamedTuple

from critiql.agent.calls import sql_sampling
from critiql.agent.context import Context
from critiql.evals.statistics import mcnemar, wilson
from critiql.tools.database.engine import Database
from critiql.tools.models.model import LanguageModel, Prompt
from critiql.tools.sql.extract import extract_sql
from critiql.tools.trajectory.forms.round_trip import same_results
from critiql.training.data.example_file import Row
from critiql.training.data.gold import LIMITS

MANY = 100
"""Held-out pairs from which on a difference of some points is told from chance."""


class Compared(NamedTuple):
    """Answers to the held-out questions without and with the adapter, in the order of the pairs."""

    before: list[bool]
    after: list[bool]

    @property
    def fixed(self) -> int:
        """Wrong before, right after."""
        return sum(after and not before for before, after in zip(self.before, self.after, strict=True))

    @property
    def broken(self) -> int:
        """Right before, wrong after."""
        return sum(before and not after for before, after in zip(self.before, self.after, strict=True))

    def as_row(self) -> Row:
        """What a card holds."""
        return {
            "n": len(self.before),
            "right_before": sum(self.before),
            "right_after": sum(self.after),
            "fixed": self.fixed,
            "broken": self.broken,
            "p": round(mcnemar(self.fixed, self.broken), 4),
        }

    def lines(self) -> list[str]:
        """The same as a table, with what it does not say."""
        n = len(self.before)
        table = [
            f"{'held-out pairs':<16} right  of  95 % interval",
            _line("without adapter", sum(self.before), n),
            _line("with adapter", sum(self.after), n),
            f"{self.fixed} fixed, {self.broken} broken (p = {mcnemar(self.fixed, self.broken):.2f}).",
        ]
        few = f"{n} held-out pairs say little: other {n} may come out otherwise. Verify more to know more."
        return [*table, few] if n < MANY else table


def right_answers(rows: Sequence[Row], model: LanguageModel, database: Database) -> list[bool]:
    """Whether the model's likeliest query gives the verified rows, for each example of the actor.

    Rows are compared as a bag, and as a list where the verified query sorts.

    Raises:
        ModelError: the model failed.
    """
    sampling = sql_sampling(Context(), 0, 0.0)
    found: list[bool] = []
    for row in rows:
        prompt = Prompt(row["prefix"], row["request"], row["opening"])
        written = extract_sql(model.generate(prompt, sampling).text)
        verified = row["answer"].removeprefix(row["opening"])
        same = same_results(database, verified, written, "order by" in verified.lower(), LIMITS)
        found.append(same is True)
    return found


def _line(what: str, right: int, n: int) -> str:
    low, high = wilson(right, n)
    return f"{what:<16} {right:>5} {n:>3}  {100 * low:.0f} to {100 * high:.0f} %"
