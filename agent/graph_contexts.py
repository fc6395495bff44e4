"""Which settings each graph takes, by name of the graph, and what is said of one that it does not take."""

from typing import Literal

from pydantic import Field

from critiql.agent.context import Context
from critiql.agent.context_groups import (
    ACCEPTANCE,
    EXAMPLES_MADE,
    Acceptance,
    AcceptanceSettings,
    AcSqlSettings,
    CorrectionSettings,
    CriticSettings,
    DetectorSettings,
    GuideSettings,
    LocaliserSettings,
    LoopSettings,
    RefinerSettings,
    RoundSettings,
    RuleSettings,
    SecondModelSettings,
    SharedSettings,
    ShareSettings,
)
from critiql.tools.exceptions import USAGE, CritiqlError


class UnknownGraphError(CritiqlError, ValueError):
    """There is no graph of that name."""

    exit_code = USAGE


class TextToSqlContext(Context):
    """Settings of a run of `text_to_sql`."""

    graph = "text_to_sql"
    groups = (
        SharedSettings,
        RoundSettings,
        CriticSettings,
        RuleSettings,
        DetectorSettings,
        RefinerSettings,
        GuideSettings,
        SecondModelSettings,
        LoopSettings,
    )

    examples_made: int = Field(default=1, ge=0, le=10, description=EXAMPLES_MADE)


class SingleShotContext(Context):
    """Settings of a run of `single_shot`."""

    graph = "single_shot"
    groups = (SharedSettings,)


class AcSqlContext(Context):
    """Settings of a run of `ac_sql`: the critic's word counts, whatever was measured of it."""

    graph = "ac_sql"
    groups = (SharedSettings, RoundSettings, CriticSettings, AcSqlSettings)

    llm_critic: Literal["off", "raw", "calibrated"] = Field(
        default="raw",
        description="off; raw: P(True) against one half, as published; calibrated: a fitted threshold.",
    )


class ErrorLLMContext(Context):
    """Settings of a run of `error_llm`: the detector is a model beside the rules."""

    graph = "error_llm"
    groups = (
        SharedSettings,
        RoundSettings,
        RuleSettings,
        DetectorSettings,
        LocaliserSettings,
        RefinerSettings,
        GuideSettings,
        AcceptanceSettings,
    )

    semantic_detector: Literal["off", "auto", "head", "prompt"] = Field(
        default="auto",
        description="auto: the error-token head where one fits the model, else its own words; off: rules.",
    )
    acceptance: Acceptance = Field(default="given", description=ACCEPTANCE)


class ShareContext(Context):
    """Settings of a run of `share`."""

    graph = "share"
    groups = (
        SharedSettings,
        RoundSettings,
        CriticSettings,
        RuleSettings,
        ShareSettings,
        AcceptanceSettings,
    )


class SelfDebuggingContext(Context):
    """Settings of a run of `self_debugging`."""

    graph = "self_debugging"
    groups = (SharedSettings, RoundSettings)


class SelfCorrectionContext(Context):
    """Settings of a run of `self_correction`."""

    graph = "self_correction"
    groups = (SharedSettings, RoundSettings, CorrectionSettings)


class SelfConsistencyContext(Context):
    """Settings of a run of `self_consistency`."""

    graph = "self_consistency"
    groups = (SharedSettings, RoundSettings)


class CrossConsistencyContext(Context):
    """Settings of a run of `cross_consistency`."""

    graph = "cross_consistency"
    groups = (SharedSettings, RoundSettings, SecondModelSettings)


class MultiplePromptContext(Context):
    """Settings of a run of `multiple_prompt`."""

    graph = "multiple_prompt"
    groups = (SharedSettings, RoundSettings)


class MacRefinerContext(Context):
    """Settings of a run of `mac_refiner`."""

    graph = "mac_refiner"
    groups = (SharedSettings, RoundSettings, RefinerSettings)


class DinSqlContext(Context):
    """Settings of a run of `din_sql`."""

    graph = "din_sql"
    groups = (SharedSettings, RoundSettings)


CONTEXTS: dict[str, type[Context]] = {
    kind.graph: kind
    for kind in (
        TextToSqlContext,
        SingleShotContext,
        AcSqlContext,
        ErrorLLMContext,
        ShareContext,
        SelfDebuggingContext,
        SelfCorrectionContext,
        DinSqlContext,
        SelfConsistencyContext,
        CrossConsistencyContext,
        MultiplePromptContext,
        MacRefinerContext,
    )
}
"""Name of a graph -> what may be chosen for its run."""


def context_of_graph(name: str) -> type[Context]:
    """What may be chosen for a run of that graph.

    Raises:
        UnknownGraphError: no such graph; the message lists those there are.
    """
    if name not in CONTEXTS:
        raise UnknownGraphError(f"There is no graph called {name!r}. There are: {', '.join(CONTEXTS)}.")
    return CONTEXTS[name]


def narrowed(name: str, context: Context) -> Context:
    """Those of the settings that the graph takes, and the graph's own defaults for what was not set.

    So one `Context` may be given to several graphs that are compared.

    Raises:
        UnknownGraphError: no such graph.
    """
    kind = context_of_graph(name)
    made = context.model_dump(exclude_unset=True)
    return kind.model_validate({name: value for name, value in made.items() if name in kind.taken()})
