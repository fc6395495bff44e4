"""How likely an answer is right: a fitted scale of how likely its writer held it, or of the critic's reading.

The actor's log-probability of the whole query costs no call. Which of the two signals a model's calibration
uses was measured on held-out databases (evals/fit/confidence.py).
"""

from collections.abc import Sequence

from critiql import prompts
from critiql.agent.context import Context
from critiql.agent.decide.actor_scale import find_scale
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
    """The fitted scale: of the critic where it is asked and tells more, else of this actor and its prompt."""
    fitted = fitted_for(context)
    scale = None if fitted is None else fitted.confidence
    critic_asked = context.llm_critic == "calibrated" and not context.panel
    if scale is not None and scale.signal == "p_true" and critic_asked:
        return scale
    writer = (load_model(context.spec("actor")).fingerprint, prompts.load("actor").digest)
    if fitted is not None and scale is not None and scale.signal == "logprob" and writer[0] == fitted.actor:
        return scale if scale.prompt == writer[1] else None
    return find_scale(*writer)


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
