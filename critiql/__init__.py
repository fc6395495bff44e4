"""Critiql: text-to-SQL whose every answer was executed, criticised and, where needed, repaired.

    import critiql

    answer = critiql.ask("Which five customers spent the most?")
    print(answer.sql, answer.rows)

Each name is imported when it is first used (PEP 562), so that importing the package loads no model library.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from critiql.agent.answer import Answer
    from critiql.agent.check import CheckResult, check
    from critiql.agent.context import Context
    from critiql.agent.decide.record_files import CalibrationError
    from critiql.agent.events import Event
    from critiql.agent.graph_contexts import UnknownGraphError
    from critiql.agent.memory.verified import VerifiedError
    from critiql.agent.roles.ground import QuestionError
    from critiql.agent.toolbox import toolbox
    from critiql.graphs.api import aask, ask, stream
    from critiql.graphs.catalogue import graph
    from critiql.graphs.checkpoints.saver import CheckpointError
    from critiql.graphs.refine import Refinement, refine
    from critiql.graphs.tool import as_tool
    from critiql.tools.database.engine import DatabaseError
    from critiql.tools.database.open import open_database
    from critiql.tools.database.result import Failure, Limits, Rows
    from critiql.tools.database.run import run
    from critiql.tools.errors.head import HeadError
    from critiql.tools.exceptions import CritiqlError
    from critiql.tools.models.factory import load_model
    from critiql.tools.models.model import ContextOverflowError, ModelError, TransientModelError
    from critiql.tools.question_pairs import PairsError
    from critiql.tools.settings import SettingsError
    from critiql.tools.trajectory.steps.explain import Explanation, explain

__all__ = [
    "Answer",
    "CalibrationError",
    "CheckResult",
    "CheckpointError",
    "Context",
    "ContextOverflowError",
    "CritiqlError",
    "DatabaseError",
    "Event",
    "Explanation",
    "Failure",
    "HeadError",
    "Limits",
    "ModelError",
    "PairsError",
    "QuestionError",
    "Refinement",
    "Rows",
    "SettingsError",
    "TransientModelError",
    "UnknownGraphError",
    "VerifiedError",
    "aask",
    "as_tool",
    "ask",
    "check",
    "explain",
    "graph",
    "load_model",
    "open_database",
    "refine",
    "run",
    "stream",
    "toolbox",
]

_MODULES = {
    "agent.answer": ("Answer",),
    "agent.check": ("CheckResult", "check"),
    "agent.context": ("Context",),
    "agent.decide.record_files": ("CalibrationError",),
    "agent.events": ("Event",),
    "agent.graph_contexts": ("UnknownGraphError",),
    "agent.memory.verified": ("VerifiedError",),
    "agent.roles.ground": ("QuestionError",),
    "agent.toolbox": ("toolbox",),
    "graphs.api": ("aask", "ask", "stream"),
    "graphs.catalogue": ("graph",),
    "graphs.checkpoints.saver": ("CheckpointError",),
    "graphs.refine": ("Refinement", "refine"),
    "graphs.tool": ("as_tool",),
    "tools.database.engine": ("DatabaseError",),
    "tools.database.open": ("open_database",),
    "tools.database.result": ("Failure", "Limits", "Rows"),
    "tools.database.run": ("run",),
    "tools.errors.head": ("HeadError",),
    "tools.exceptions": ("CritiqlError",),
    "tools.models.factory": ("load_model",),
    "tools.models.model": ("ContextOverflowError", "ModelError", "TransientModelError"),
    "tools.question_pairs": ("PairsError",),
    "tools.settings": ("SettingsError",),
    "tools.trajectory.steps.explain": ("Explanation", "explain"),
}
"""Module -> the names it gives."""
_PLACES = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import a name when it is first asked for, and keep it."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    """The names there are, loaded or not."""
    return sorted({*globals(), *__all__})
