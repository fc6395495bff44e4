"""The semantic detector: a model says which error tokens hold of a query (ErrorLLM, algorithm 1, stage 2).

Two readers fill one interface: the error-token head on a local model's hidden state, and any model, hosted
too, that writes the tokens as text. What either says is likely and not proven, and is told from what rules
say by its source.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol

from critiql.agent.calls import finished, record
from critiql.agent.candidates import question_with_notes
from critiql.agent.context import Context
from critiql.agent.databases import database_of
from critiql.agent.decide.budget import overspent
from critiql.agent.detect.grammar import token_grammar
from critiql.agent.detect.heads import head_for, is_shipped
from critiql.agent.detect.prompt import detector_prompt
from critiql.agent.events import Sensed, emit
from critiql.agent.evidence import CallRecord, Candidate
from critiql.agent.state import State, by_id
from critiql.tools.errors.guide.parts import PARTS, Part
from critiql.tools.errors.head import Head, HeadError
from critiql.tools.errors.query import Query
from critiql.tools.errors.types.catalogue import BY_KEY, ERROR_TYPES
from critiql.tools.errors.types.error_type import SEMANTIC, Finding
from critiql.tools.linking.link import Link
from critiql.tools.linking.linked import link_database
from critiql.tools.models.cancel import CallCancelledError
from critiql.tools.models.factory import load_model
from critiql.tools.models.model import (
    LanguageModel,
    ModelError,
    Prompt,
    Sampling,
    ShowsHiddenState,
    TransientModelError,
)

TOKEN = re.compile(r"ERR_(\d\d)\b")
"""An error token in a model's text, with or without its brackets."""
LONGEST_ANSWER = 80
"""Tokens a model may write; a dozen error tokens fit."""


class Reading(NamedTuple):
    """What a detector says of one query."""

    types: tuple[tuple[str, float], ...]
    """Keys of the error types with their probabilities, the most probable first; none means No Error."""
    correct: float | None
    """Probability of the null token; None where the detector gives none."""
    call: CallRecord


class SemanticDetector(Protocol):
    """A model that names errors."""

    @property
    def source(self) -> Literal["head", "prompt"]:
        """What its findings carry."""
        ...

    @property
    def parts(self) -> Sequence[Part]:
        """What its prompt shows beside the query."""
        ...

    def read(self, prompt: Prompt) -> Reading:
        """Name the errors of the query in a `detector_prompt`.

        Raises:
            ModelError: the model failed.
        """
        ...


@dataclass(frozen=True)
class HeadDetector:
    """The error-token head on a local model's final hidden state (equation 19)."""

    model: LanguageModel
    shown: ShowsHiddenState
    """The same model."""
    head: Head
    source: Literal["head", "prompt"] = "head"
    parts: Sequence[Part] = ()
    """None: a head reads the prompt it was trained after."""

    def read(self, prompt: Prompt) -> Reading:
        """See `SemanticDetector.read`."""
        state = self.shown.hidden_state(prompt)
        call = record("error_detector", self.model, "hidden_state", state.usage)
        return Reading(tuple(self.head.detect(state.vector)), float(self.head.correct(state.vector)), call)


@dataclass(frozen=True)
class PromptDetector:
    """Self-detection: the model writes the tokens; what is no token of a known type is passed over."""

    model: LanguageModel
    parts: Sequence[Part] = PARTS
    constrained: bool = True
    """A model that runs here can write error tokens only; a hosted one knows no grammar."""
    source: Literal["head", "prompt"] = "prompt"

    def read(self, prompt: Prompt) -> Reading:
        """See `SemanticDetector.read`. The probability is the geometric mean of the text's tokens."""
        grammar = token_grammar() if self.constrained else None
        sampling = Sampling(max_tokens=LONGEST_ANSWER, grammar=grammar)
        answer = finished(self.model.generate(prompt, sampling))
        written = answer.usage.generated_tokens
        likely = 1.0 if answer.logprob is None or not written else math.exp(answer.logprob / written)
        call = record("error_detector", self.model, "generate", answer.usage)
        return Reading(tuple((key, likely) for key in keys_in(answer.text)), None, call)


class Found(NamedTuple):
    """What the semantic step adds to a candidate, and what it cost."""

    findings: list[Finding]
    calls: list[CallRecord]


def keys_in(text: str) -> list[str]:
    """Keys of the error types whose tokens a text holds, each once, in order of appearance."""
    known = {error.token[1:-1]: error.key for error in ERROR_TYPES}
    named = (known.get(match.group(0)) for match in TOKEN.finditer(text))
    return list(dict.fromkeys(key for key in named if key is not None))


def detector_of(
    kind: Literal["auto", "head", "prompt"],
    model: LanguageModel,
    head: str = "",
    parts: Sequence[Part] = PARTS,
    *,
    constrained: bool = True,
) -> HeadDetector | PromptDetector:
    """The detector of a kind on a model.

    Args:
        kind: which one; auto takes the head where one fits, and the model's own words else.
        model: any model for `prompt`, a local one for `head`.
        head: the head's file; empty takes the shipped one that fits.
        parts: what is shown beside the query to a model that answers in words.
        constrained: whether such a model is held to error tokens by a grammar.

    Raises:
        HeadError: no head fits, or the model shows no hidden states.
    """
    if kind == "prompt" or (kind == "auto" and not (head or is_shipped(model.fingerprint))):
        return PromptDetector(model, tuple(parts), constrained)
    shown: Any = model
    if not hasattr(model, "hidden_state"):
        raise HeadError(
            f"{model.name} shows no hidden states, which the error-token head reads. Name a local model, "
            "or let this one write what it finds (semantic_detector=prompt; check: --detector prompt)."
        )
    return HeadDetector(model, shown, head_for(model.fingerprint, model.name, head))


def sense(candidate: Candidate, query: Query | Finding, state: State, context: Context) -> Found:
    """Ask the semantic detector about a candidate; where it cannot be asked, the rules stand alone.

    Nothing is asked where it is off, of a text that is no query, or beyond the budget; a repeated candidate
    takes over what was said of the one it repeats.

    Raises:
        HeadError: a head was asked for and none fits.
        TransientModelError: the model is busy; the node tries again.
    """
    if context.semantic_detector == "off" or isinstance(query, Finding):
        return Found([], [])
    earlier = by_id(state, candidate.get("repeats"))
    if earlier and "findings" in earlier:
        return Found(semantic_findings(earlier), [])
    limit = overspent(state, context)
    if limit is not None:
        emit(_failed(candidate["id"], context, f"the limit on {limit} was reached"))
        return Found([], [])
    try:
        return _asked(candidate, query, state, context)
    except (HeadError, TransientModelError, CallCancelledError):
        raise
    except ModelError as error:
        emit(_failed(candidate["id"], context, str(error)))
        return Found([], [])


def semantic_findings(candidate: Mapping[str, Any]) -> list[Finding]:
    """The semantic detector's findings on a candidate, as they were before they became data."""
    return [
        finding(found["type"], found["source"], found["probability"])
        for found in candidate.get("findings", ())
        if found.get("source") in SEMANTIC
    ]


def finding(key: str, source: Literal["head", "prompt"], probability: float) -> Finding:
    """A finding without a place: what the type means is all that is known."""
    return Finding(key, source, BY_KEY[key].description, probability=round(probability, 4))


def give_up(state: State, context: Context, error: BaseException) -> None:
    """Tell the trace that the detector failed for good, of every candidate that it was to read."""
    for candidate in state.get("candidates", []):
        if "findings" not in candidate:
            emit(_failed(candidate["id"], context, str(error)))


def _asked(candidate: Candidate, query: Query, state: State, context: Context) -> Found:
    kind = context.semantic_detector
    assert kind != "off"
    detector = detector_of(
        kind,
        load_model(context.spec("error_detector")),
        context.detector_head,
        context.detector_parts,
        constrained=context.detector_constrained,
    )
    prompt = detector_prompt(
        state["schema_prefix"],
        question_with_notes(state),
        query,
        candidate.get("execution"),
        rules=context.rules,
        parts=detector.parts,
        links=_links(state, context) if "links" in detector.parts else (),
        values=context.execution,
    )
    reading = detector.read(prompt)
    found = [finding(key, detector.source, probability) for key, probability in reading.types]
    emit(_event(candidate["id"], detector.source, reading))
    return Found(found, [reading.call])


def _links(state: State, context: Context) -> tuple[Link, ...]:
    values = context.show_values and context.execution
    return link_database(state["question"], database_of(state, context), values=values)


def _event(identifier: int, source: str, reading: Reading) -> Sensed:
    return Sensed(
        id=identifier,
        source=source,
        types=[{"type": key, "probability": round(likely, 4)} for key, likely in reading.types],
        correct=reading.correct,
        seconds=reading.call["seconds"],
    )


def _failed(identifier: int, context: Context, why: str) -> Sensed:
    return Sensed(id=identifier, source=context.semantic_detector, error=why)
