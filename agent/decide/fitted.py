"""What was measured of a critic, and what it may decide by that."""

from collections.abc import Callable
from hashlib import sha256

from critiql import prompts
from critiql.agent.context import Context
from critiql.agent.decide.calibration import Calibration, find_calibration
from critiql.agent.evidence import Verdict
from critiql.tools.models.factory import load_model


def asked(context: Context) -> bool:
    """Whether the critic is asked: not where its reading has a say in nothing.

    That is so where its calibration gives it none, and where nobody measured it. One that was named for the
    role is asked nevertheless: who names it wants its reading.
    """
    if context.llm_critic == "off":
        return False
    if context.llm_critic == "raw" or context.critic_threshold is not None:
        return True
    calibration = calibration_for(context)
    if calibration is None:
        return context.llm_critic_model is not None or bool(context.panel)
    return calibration.reads


def prompt_name(context: Context) -> str:
    """Which of the two critic prompts is used."""
    return "critic_with_rows" if context.critic_sees_rows and context.execution else "critic"


def calibration_for(context: Context) -> Calibration | None:
    """The calibration fitted for this critic or panel and this prompt; none where the critic goes without."""
    return fitted_for(context) if context.llm_critic == "calibrated" else None


def fitted_for(context: Context) -> Calibration | None:
    """What was measured for this critic and prompt, whether or not the critic is asked."""
    return find_calibration(critic_fingerprint(context), prompts.load(prompt_name(context)).digest)


def critic_fingerprint(
    context: Context, fingerprint: Callable[[str], str] = lambda spec: load_model(spec).fingerprint
) -> str:
    """What identifies who judges: the critic's fingerprint; of a panel a digest of all and of the vote."""
    critics = [fingerprint(spec) for spec in (context.spec("llm_critic"), *context.panel)]
    if not context.panel:
        return critics[0]
    return f"panel-{sha256(' '.join((*critics, context.panel_vote)).encode()).hexdigest()[:12]}"


def threshold_of(context: Context, calibration: Calibration | None) -> float | None:
    """P(True) below this is a rejection; None: the critic rejects nothing."""
    if context.critic_threshold is not None:
        return context.critic_threshold
    if context.llm_critic == "raw":
        return 0.5
    return calibration.threshold if calibration and calibration.enabled else None


def verdict_of(probability: float | None, threshold: float | None) -> Verdict:
    """A reading against the threshold; without either, nothing is known."""
    if probability is None or threshold is None:
        return "unknown"
    return "accepted" if probability >= threshold else "rejected"
