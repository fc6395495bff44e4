"""What may be chosen for one run: every setting there is, and which of them a graph takes."""

from collections.abc import Iterable
from typing import Any, ClassVar

from pydantic import ConfigDict, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from critiql.agent.context_groups import (
    DEFAULT_MODEL,
    AcceptanceSettings,
    AcSqlSettings,
    ConversationSettings,
    CorrectionSettings,
    CriticSettings,
    DetectorSettings,
    GuideSettings,
    LocaliserSettings,
    LoopSettings,
    RefinerSettings,
    Role,
    RoundSettings,
    RuleSettings,
    SecondModelSettings,
    SettingGroup,
    SharedSettings,
    ShareSettings,
)

__all__ = ["DEFAULT_MODEL", "Context", "Role"]


class Context(
    SharedSettings,
    RoundSettings,
    CriticSettings,
    RuleSettings,
    DetectorSettings,
    LocaliserSettings,
    RefinerSettings,
    GuideSettings,
    SecondModelSettings,
    LoopSettings,
    AcSqlSettings,
    CorrectionSettings,
    ShareSettings,
    AcceptanceSettings,
    ConversationSettings,
):
    """Settings of one run: what roles read.

    Here all settings may be made. A graph has a subclass that shows and takes its own groups; the other
    settings keep their defaults there, so that a role finds each of them in every graph.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    graph: ClassVar[str] = ""
    """Whose settings these are; empty: of all graphs."""
    groups: ClassVar[tuple[type[SettingGroup], ...]] = ()
    """What that graph takes; none named: everything."""

    @classmethod
    def taken(cls) -> tuple[str, ...]:
        """Names of the settings that may be made."""
        named = [name for group in cls.groups for name in group.model_fields]
        return tuple(named or cls.model_fields)

    @model_validator(mode="before")
    @classmethod
    def _only_its_own(cls, given: Any) -> Any:
        """Refuse a setting that the graph does not use, with the names that it may be meant for."""
        unknown = [str(name) for name in given if name not in cls.taken()] if isinstance(given, dict) else []
        if unknown:
            raise PydanticCustomError("unknown_setting", "{why}", {"why": refusal(unknown, cls)})
        return given

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """What Studio and the settings page show: the graph's own settings."""
        schema = handler.resolve_ref_schema(handler(core_schema))
        schema["properties"] = {name: schema["properties"][name] for name in cls.taken()}
        return schema

    def spec(self, role: Role) -> str:
        """The model a role uses."""
        named = self.detector_model if role == "error_detector" else getattr(self, f"{role}_model")
        return named or self.model

    def models(self) -> list[str]:
        """Every model that the settings name, each once."""
        single = (value for name, value in self if name == "model" or name.endswith("_model"))
        return list(dict.fromkeys([*filter(None, single), *self.panel]))

    def temperature(self, generation: int) -> float:
        """Temperature of a generation; the first one is number 0."""
        return self.temperatures[min(generation, len(self.temperatures) - 1)]


def refusal(names: Iterable[str], kind: type[Context]) -> str:
    """Why these names are no settings of the graph, and what may be meant by them."""
    return " ".join(_refused(name, kind) for name in names)


def _refused(name: str, kind: type[Context]) -> str:
    """One unknown name: near ones, or the graphs that have it."""
    from difflib import get_close_matches as matches

    where = f" of {kind.graph}" if kind.graph else ""
    said = f"There is no setting {name[:80]!r}{where}."
    if name in Context.model_fields:
        return f"{said} It is one of {_graphs_with(name)}."
    own = matches(name, kind.taken())
    near = own or [f"{other} of {_graphs_with(other)}" for other in matches(name, Context.model_fields)]
    return f"{said} Near: {', '.join(near)}." if near else f"{said} `critiql settings` lists those there are."


def _graphs_with(name: str) -> str:
    """The graphs that take a setting; what none of them takes is the conversation's."""
    kinds = [kind for kind in Context.__subclasses__() if name in kind.taken()]
    graphs = [kind.graph for kind in kinds] or ["assistant"]
    return ", ".join(graphs) if len(graphs) < 4 else f"{graphs[0]} and {len(graphs) - 1} others"
