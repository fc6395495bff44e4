"""A typed edit script: add, delete or substitute a step. All that a model may do to a trajectory.

Lines are those of the printed trajectory before the script; every edit of a script refers to these.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from critiql.tools.schema.model import Schema
from critiql.tools.trajectory.forms.parse_text import parse_call, parse_frames
from critiql.tools.trajectory.language.actions import (
    COMBINE_ORDER,
    ORDER,
    Frame,
    Problem,
    Start,
    Step,
    Trajectory,
)
from critiql.tools.trajectory.language.check import check_form, check_schema
from critiql.tools.trajectory.language.parentheses import parenthesised
from critiql.tools.trajectory.language.references import uses


@dataclass(frozen=True)
class Add:
    """Put a step into the frame of line `after`: there if the order of actions allows, else where it does."""

    after: int
    action: str
    """The step as printed, such as `where(age > 30)`."""


@dataclass(frozen=True)
class AddFrame:
    """Put a new frame in front of the others; other edits of the script may use its name."""

    text: str
    """The frame as printed, such as `df9 = scan(t).agg(MAX(t.a))`."""


@dataclass(frozen=True)
class Delete:
    """Take a step away; a frame that nothing uses any more goes with it."""

    line: int


@dataclass(frozen=True)
class Substitute:
    """Put another step in a step's place."""

    line: int
    action: str


Edit = Add | AddFrame | Delete | Substitute

EDIT_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "edits": {
            "type": "array",
            "maxItems": 12,
            "items": {
                "oneOf": [
                    {
                        "type": "object",
                        "properties": {"op": {"const": op}, **properties},
                        "required": ["op", *properties],
                        "additionalProperties": False,
                    }
                    for op, properties in (
                        ("add", {"after": {"type": "integer", "minimum": 1}, "action": {"type": "string"}}),
                        ("add_frame", {"text": {"type": "string"}}),
                        ("delete", {"line": {"type": "integer", "minimum": 1}}),
                        (
                            "substitute",
                            {"line": {"type": "integer", "minimum": 1}, "action": {"type": "string"}},
                        ),
                    )
                ]
            },
        }
    },
    "required": ["edits"],
    "additionalProperties": False,
}
"""JSON schema of an edit script; no edits means that the trajectory stays as it is."""

_KINDS: dict[str, tuple[type[Edit], dict[str, type]]] = {
    "add": (Add, {"after": int, "action": str}),
    "add_frame": (AddFrame, {"text": str}),
    "delete": (Delete, {"line": int}),
    "substitute": (Substitute, {"line": int, "action": str}),
}


def edits_json(edits: Sequence[Edit]) -> dict[str, list[dict[str, object]]]:
    """An edit script as JSON values."""
    names = {kind: name for name, (kind, _) in _KINDS.items()}
    return {"edits": [{"op": names[type(edit)], **vars(edit)} for edit in edits]}


def read_edits(value: object) -> tuple[Edit, ...] | Problem:
    """Read an edit script from JSON values."""
    written = value.get("edits") if isinstance(value, Mapping) else None
    if not isinstance(written, list):
        return Problem('an edit script is an object with a list "edits"; [] changes nothing')
    found: list[Edit] = []
    for number, entry in enumerate(written, start=1):
        edit = _read_edit(entry)
        if isinstance(edit, str):
            return Problem(f"edit {number}: {edit}")
        found.append(edit)
    return tuple(found)


def apply_edits(
    trajectory: Trajectory, edits: Sequence[Edit], schema: Schema | None = None
) -> Trajectory | Problem:
    """Carry an edit script out and check what comes of it.

    An OR that gets a neighbour is put in parentheses.

    Args:
        trajectory: what the lines refer to.
        edits: the script; empty gives the trajectory back.
        schema: names are checked against it when given.

    Returns:
        The edited trajectory, or a problem that names the edit or the line of the edited trajectory.
    """
    frames = _added_frames(trajectory, edits)
    if isinstance(frames, Problem):
        return frames
    names = {frame.name for frame in frames} | set(trajectory.names)
    slots = _slots(trajectory)
    for number, edit in enumerate(edits, start=1):
        problem = _carry_out(edit, slots, trajectory.dialect, names)
        if problem:
            return Problem(f"edit {number}: {problem.message}", action=problem.action)
    frames += [_frame(frame, slots) for frame in trajectory.frames]
    edited = Trajectory(tuple(parenthesised(frame) for frame in _used(frames)), trajectory.dialect)
    return check_form(edited) or (check_schema(edited, schema) if schema else None) or edited


@dataclass
class _Slot:
    """A line of the trajectory as the edits leave it."""

    frame: str
    steps: list[Step]
    """The line's own step or what replaces it, then what is added after it."""
    gone: bool = False


def _slots(trajectory: Trajectory) -> list[_Slot]:
    return [_Slot(frame.name, [step]) for frame in trajectory.frames for step in frame.steps]


def _read_edit(entry: object) -> Edit | str:
    op = entry.get("op") if isinstance(entry, Mapping) else None
    if not isinstance(entry, Mapping) or op not in _KINDS:
        return f'"op" is one of {", ".join(_KINDS)}'
    kind, fields = _KINDS[op]
    given: dict[str, Any] = {}
    for name, type_ in fields.items():
        value = entry.get(name)
        if not isinstance(value, type_) or isinstance(value, bool):
            return f'{op} needs "{name}", {"a line number" if type_ is int else "a text"}'
        given[name] = value
    return kind(**given)


def _added_frames(trajectory: Trajectory, edits: Sequence[Edit]) -> list[Frame] | Problem:
    added: list[Frame] = []
    for number, edit in enumerate(edits, start=1):
        if isinstance(edit, AddFrame):
            found = parse_frames(edit.text, trajectory.dialect)
            if isinstance(found, Problem):
                return Problem(f"edit {number}: {found.message}", action=found.action)
            clash = next((frame.name for frame in found if frame.name in trajectory.names), None)
            if clash:
                return Problem(f"edit {number}: there is already a frame {clash}; choose another name")
            added += found
    return added


def _carry_out(edit: Edit, slots: list[_Slot], dialect: str, names: set[str]) -> Problem | None:
    if isinstance(edit, AddFrame):
        return None
    line = edit.after if isinstance(edit, Add) else edit.line
    if not 1 <= line <= len(slots):
        return Problem(f"there is no line {line}; lines are 1 to {len(slots)}")
    slot = slots[line - 1]
    if isinstance(edit, Delete):
        slot.steps, slot.gone = slot.steps[1:] if not slot.gone else slot.steps, True
        return None
    steps = parse_call(edit.action, dialect, names)
    if isinstance(steps, Problem):
        return steps
    if isinstance(edit, Substitute):
        slot.steps[: 0 if slot.gone else 1] = steps
        slot.gone = False
    else:
        slot.steps += steps
    return None


def _frame(frame: Frame, slots: Sequence[_Slot]) -> Frame:
    """The frame after the edits; a step in the wrong place moves to the last one that its kind may have."""
    steps = [step for slot in slots if slot.frame == frame.name for step in slot.steps]
    order = COMBINE_ORDER if any(isinstance(step, Start) for step in steps) else ORDER
    if all(type(step) in order for step in steps):
        steps.sort(key=lambda step: order.index(type(step)))
    return Frame(frame.name, tuple(steps))


def _used(frames: list[Frame]) -> list[Frame]:
    """The frames that the last one needs, in order."""
    names = {frame.name for frame in frames}
    needed = {frames[-1].name}
    kept: list[Frame] = []
    for frame in reversed(frames):
        if frame.name in needed:
            needed.update(uses(frame, names))
            kept.append(frame)
    return kept[::-1]


def edit_words(edit: Edit) -> str:
    """An edit in a few words, for a trace."""
    match edit:
        case Add():
            return f"after line {edit.after} add {edit.action}"
        case AddFrame():
            return f"add the frame {edit.text}"
        case Delete():
            return f"delete line {edit.line}"
        case Substitute():
            return f"line {edit.line} becomes {edit.action}"
