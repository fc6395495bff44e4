"""What a running evaluation says about itself: accuracy so far, seconds a question, time left."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from critiql.evals.run.store import Run, StoredAnswer
from critiql.evals.statistics import wilson


@dataclass
class Tally:
    """Answers of one run so far, those of earlier starts included."""

    answered: int = 0
    judged: int = 0
    right: int = 0
    failed: int = 0
    """Questions on which the agent itself failed."""

    def add(self, answer: StoredAnswer) -> None:
        """Count one answer."""
        self.answered += 1
        self.failed += answer.status == "error"
        if answer.correct is not None:
            self.judged += 1
            self.right += answer.correct

    def line(self) -> str:
        """Accuracy with its 95 % interval."""
        if not self.judged:
            return "nothing scored yet"
        low, high = wilson(self.right, self.judged)
        text = f"{self.right / self.judged:.1%} [{low:.1%}, {high:.1%}] of {self.judged}"
        return f"{text}, {self.failed} failed" if self.failed else text


@dataclass
class Progress:
    """All runs of one start."""

    left: int
    """Questions still to be asked, over all runs."""
    tallies: dict[str, Tally] = field(default_factory=dict)
    """By system."""
    _started: float = field(default_factory=time.monotonic)
    _done: int = 0

    def count(self, run: Run, answers: Iterable[StoredAnswer]) -> None:
        """Count answers of an earlier start."""
        tally = self.tallies.setdefault(run.spec.system, Tally())
        for answer in answers:
            if answer.status != "error":
                tally.add(answer)

    def add(self, run: Run, answer: StoredAnswer) -> None:
        """Count one answer of this start."""
        self.tallies.setdefault(run.spec.system, Tally()).add(answer)
        self.left -= 1
        self._done += 1

    @property
    def seconds_a_question(self) -> float:
        """Mean over this start, scoring included."""
        return (time.monotonic() - self._started) / max(self._done, 1)

    def line(self) -> str:
        """One line for a log or a status bar."""
        systems = "; ".join(f"{system} {tally.line()}" for system, tally in self.tallies.items())
        pace = self.seconds_a_question
        return f"{systems} | {pace:.1f} s a question, {self.left} left, about {_duration(self.left * pace)}"


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02} min" if minutes >= 60 else f"{minutes} min"
