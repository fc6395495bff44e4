"""What was measured about a critic, and what it may therefore decide: one small JSON file each.

`critiql calibrate` writes such a file; the critic and the incumbent rule read it. A critic without one has no
threshold, and never displaces a query that runs on its opinion alone.
"""

import math
from functools import cache
from pathlib import Path
from typing import Literal

from platformdirs import user_config_path
from pydantic import Field, FiniteFloat

from critiql.agent.decide.record_files import Record, read_record, record_files, write_record

SHIPPED = Path(__file__).parent / "calibrations"
"""Calibrations that come with the package."""


class Interval(Record):
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float
    n: int
    """What it was counted over; the interval's draws are whole databases."""


class Displacement(Record):
    """Weights of a logistic score over within-question differences, and the margin it has to exceed."""

    weights: dict[str, float]
    """One weight per field of `agent.evidence.Difference`; an absent one is 0."""
    margin: float
    """Log-odds the score must exceed; fitted for accuracy on held-out databases."""
    pairs: int
    """Discordant pairs (exactly one of the two right) it was fitted on."""
    fixed: int
    """Held-out questions that became right by displacing."""
    broken: int
    """Held-out questions that became wrong by displacing."""


Signal = Literal["p_true", "logprob"]
"""What tells how likely a query is right: the critic's P(True), or the actor's log-probability of it."""


class Confidence(Record):
    """Platt scaling: the probability of being right is the logistic of slope * x + intercept.

    x is the logit of P(True), or the log-probability in nats of the whole query as its writer wrote it.
    """

    signal: Signal = "p_true"
    prompt: str = ""
    """Digest of the actor's prompt under which it was fitted."""
    slope: FiniteFloat
    intercept: FiniteFloat
    n: int | None = None
    """Answers it was fitted on."""
    brier: float | None = None
    """Mean squared error on held-out databases."""
    brier_constant: float | None = None
    """The same for the share of right answers, which knows nothing of the query."""

    low: FiniteFloat | None = None
    high: FiniteFloat | None = None
    """The lowest and the highest reading it was fitted on; None where that was not kept.

    Those of the shipped calibration were added after its fit, which is of 416 settled answers: they are the
    extremes of the 360 first queries that run in `evals/exports/train/spider-train-fit.jsonl.gz`.
    """

    def covers(self, reading: float) -> bool:
        """Whether it was fitted on readings as low as this one; of lower ones nothing is known."""
        return self.low is None or reading >= self.low

    def of(self, reading: float) -> float:
        """The calibrated probability for one reading of the signal; none is above that of the highest one."""
        held = reading if self.high is None else min(reading, self.high)
        score = self.slope * scaled(held, self.signal) + self.intercept
        return 1 / (1 + math.exp(min(-score, 700.0)))


def scaled(reading: float, signal: Signal) -> float:
    """A reading on the scale of the logistic: the logit of a probability, a log-probability as it is."""
    if signal == "logprob":
        return reading
    inner = min(max(reading, 1e-9), 1 - 1e-9)
    return math.log(inner / (1 - inner))


class Calibration(Record):
    """A critic as it was measured on labelled questions."""

    version: Literal[1] = 1
    model: str
    """Fingerprint of the critic."""
    model_name: str
    actor: str
    """Fingerprint of the model whose queries it judged."""
    prompt: str
    """Digest of the critic's prompt."""
    settings: str
    """Digest of the settings the candidates were drawn with."""
    dataset: str
    n: int
    """Questions."""
    databases: int
    commit: str
    enabled: bool
    """The upper 95 % bound of q + s on held-out databases is below 1, and the best threshold is not 0."""
    threshold: float = Field(ge=0, le=1)
    """P(True) from which the critic accepts: the one with the best measured accuracy."""
    q: Interval
    """P(accepts | the query runs and is wrong), held out."""
    s: Interval
    """P(rejects | the query runs and is right), held out."""
    q_plus_s: Interval
    auc: Interval
    """Of P(True) among the queries that run."""
    accuracy_without: Interval
    """Measured accuracy of the same policy with the critic off."""
    accuracy_with: Interval
    """Measured accuracy of the policy with the fitted threshold, held out."""
    displacement: Displacement | None = None
    confidence: Confidence | None = None
    """How a signal becomes a probability; without it an answer's confidence is unknown."""

    @property
    def reads(self) -> bool:
        """Whether P(True) has a say: in rejecting, in displacing, or in the confidence."""
        weighed = self.displacement is not None and self.displacement.weights.get("p_true", 0.0) != 0
        told = self.confidence is not None and self.confidence.signal == "p_true"
        return self.enabled or weighed or told


def find_calibration(model: str, prompt: str) -> Calibration | None:
    """The calibration for a critic's fingerprint and prompt digest; the user's own goes first."""
    return _known(SHIPPED, user_folder()).get((model, prompt))


def user_folder() -> Path:
    """Where a user's own calibrations lie; it outlives the cache."""
    return user_config_path("critiql") / "calibrations"


def read_calibration(path: Path) -> Calibration:
    """Read one file.

    Raises:
        CalibrationError: it is damaged, or of another version.
    """
    return read_record(Calibration, path, "calibration", "critiql calibrate")


def write_calibration(calibration: Calibration, path: Path) -> None:
    """Write one file and forget what was read before."""
    write_record(calibration, path)
    _known.cache_clear()


@cache
def _known(*folders: Path) -> dict[tuple[str, str], Calibration]:
    """The calibrations in some folders by critic and prompt; a later folder goes before an earlier one."""
    return {(c.model, c.prompt): c for c in map(read_calibration, record_files(*folders))}
