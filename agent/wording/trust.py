"""How far an answer may be trusted and why, in words that need no looking up."""

from critiql.agent.evidence import Status, Stop

STANDING: dict[Status, str] = {
    "accepted": "Ran, and the model found it right on a second look.",
    "unverified": "Ran, not verified.",
    "failed": "No query gave rows.",
    "abstained": "Not answered.",
}
NOT_RUN = "Not run."
ENDINGS: dict[str, str] = {
    "rounds": "It stopped after the number of tries that is allowed.",
    "seconds": "It stopped at the time that is allowed.",
    "tokens": "It stopped at the number of tokens that is allowed.",
    "no_progress": "It stopped because the same queries came again.",
    "model_failed": "The model stopped answering; this is the best query until then.",
    "recalled": "The question was answered before; the same query ran again.",
}
"""Why the search ended (a `Stop`), where that is worth saying."""


def trust(status: Status, stopped: Stop | None, confidence: float | None, *, ran: bool = True) -> str:
    """How sure an answer is and why, in up to three short sentences.

    Args:
        status: what became of the query.
        stopped: why nothing more was tried; None where that is not known.
        confidence: calibrated probability that the answer is right; None is unknown, which is not said.
        ran: whether the query was run at all.
    """
    standing = STANDING[status] if ran else NOT_RUN
    often = "" if confidence is None or not ran else f"Like answers are right {_often(confidence)}."
    return " ".join(part for part in (standing, often, ENDINGS.get(stopped, "") if stopped else "") if part)


def plain_reason(reason: str, incumbent: str, challenger: str) -> str:
    """A reason of the rule that weighs two queries, without its terms."""
    words = {
        " for the challenger": f" speak for {challenger}",
        " against the challenger": f" speak against {challenger}",
        "the incumbent": incumbent,
        "the challenger": challenger,
        "does not execute": "fails",
        "neither agreement nor a finding": "neither other results nor errors that were found",
        "agreement": "what other queries return",
        "findings": "errors that were found",
        "surprises": "odd rows",
        "the critic prefers": "the model's second look prefers",
    }
    for term, word in words.items():
        reason = reason.replace(term, word)
    return reason


def _often(confidence: float) -> str:
    """A probability as a count out of ten."""
    times = round(confidence * 10)
    if times == 0:
        return "less than 1 time in 10"
    if times == 10:
        return "more than 9 times in 10"
    return f"{times} {'time' if times == 1 else 'times'} in 10"
