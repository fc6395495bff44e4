"""How likely an answer is right: a fitted scale of how likely its writer held it, or of the critic's reading.

The actor's log-probability of the whole query costs no call. Which of the two signals a model's calibration
uses was measured on held-out databases (evals/fit/confidence.py).
"""

from collections.abc import Sequence

from critiql import prompts
from critiql.agent.context import Context
from critiql.agent.decide.calibration import Confidence, Signal
from critiql.agent.decide.fitted import fitted_for
from critiql.agent.evidence import Candidate
from critiql.agent.state import State
from critiql.tools.models.factory import load_model
from critiql.tools.models.model import ModelError


def confidence_of(incumbent: Candidate, state: State, context: Context) -> float | None:
    """The calibrated probability that a query is right; None where none was fitted on such a reading."""
    try:
        scale = _scale(context)
    except ModelError:
        return None
    reading = signal_of(incumbent, state["candidates"], scale.signal) if scale else None
    return scale.of(reading) if scale and reading is not None and scale.covers(reading) else None


def _scale(context: Context) -> Confidence | None:
    """The fitted scale: for this actor and its prompt, or for the critic that is asked."""
    fitted = fitted_for(context)
    if fitted is None or fitted.confidence is None:
        return None
    if fitted.confidence.signal == "logprob":
        writer = (load_model(context.spec("actor")).fingerprint, prompts.load("actor").digest)
        return fitted.confidence if writer == (fitted.actor, fitted.confidence.prompt) else None
    return fitted.confidence if context.llm_critic == "calibrated" and not context.panel else None


def signal_of(candidate: Candidate, candidates: Sequence[Candidate], signal: Signal) -> float | None:
    """P(True), or the log-probability in nats of all tokens as the model wrote them; None where unknown.

    A repair by code has that of the last query a model wrote before it, which is the one it mends.
    """
    if signal == "p_true":
        return candidate.get("p_true")
    if candidate.get("origin") != "repair":
        return candidate.get("logprob")
    written = [c for c in candidates if c["id"] < candidate["id"] and c.get("origin") != "repair"]
    return written[-1].get("logprob") if written else None
