"""What was measured of a critic, and what it may decide by that."""

from critiql import prompts
from critiql.agent.context import Context
from critiql.agent.decide.calibration import Calibration, find_calibration
from critiql.agent.state import Verdict
from critiql.tools.models.factory import load_model


def asked(context: Context) -> bool:
    """Whether the critic is asked: not where its calibration gives a reading no say in anything."""
    if context.llm_critic == "off":
        return False
    calibration = calibration_for(context)
    return context.critic_threshold is not None or calibration is None or calibration.reads


def prompt_name(context: Context) -> str:
    """Which of the two critic prompts is used."""
    return "critic_with_rows" if context.critic_sees_rows and context.execution else "critic"


def calibration_for(context: Context) -> Calibration | None:
    """The calibration fitted for this critic and prompt; none for a panel or an uncalibrated critic."""
    return None if context.llm_critic != "calibrated" or context.panel else fitted_for(context)


def fitted_for(context: Context) -> Calibration | None:
    """What was measured for this critic and prompt, whether or not the critic is asked."""
    model = load_model(context.spec("llm_critic"))
    return find_calibration(model.fingerprint, prompts.load(prompt_name(context)).digest)


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
